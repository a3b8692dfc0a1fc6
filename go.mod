module github.com/relaylens/relaylens

go 1.26.8
