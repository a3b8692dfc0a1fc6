package app

import (
	"log/slog" //nolint:depguard // exporter-toolkit takes no other logger

	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// slogger lends a logger to exporter-toolkit.
func slogger(l *zap.Logger) *slog.Logger { return slog.New(zapslog.NewHandler(l.Core())) }
