// Package page looks at the pages of relaylens in a real Chromium. Its tests run
// with the build tag e2e.
package page
