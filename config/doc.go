// Package config is the configuration of the program: its defaults, the file,
// the environment and the flags that change them, the checks, and the reference
// that documents every key. It is the only package that knows viper.
//
// The tags of [Config] are the one place where a key is described; defaults,
// names of variables and flags, and all documentation are made from them.
package config

//go:generate go run gen.go
