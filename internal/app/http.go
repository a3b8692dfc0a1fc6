package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/api"
)

// newServer has every time-out set: whoever can connect may be hostile.
func (a *App) newServer() *http.Server {
	l := a.webLogger()
	return &http.Server{
		Handler:           a.handler(l),
		ErrorLog:          zap.NewStdLog(l),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      answerTimeout + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
}

// serve runs the web server until stopServer, then closes a.served.
func (a *App) serve(configFile string) {
	defer close(a.served)
	// The toolkit's own news, that it listens, is told by Start.
	quietly := a.webLogger().WithOptions(zap.IncreaseLevel(zapcore.WarnLevel))
	err := web.Serve(newLimited(a.listener, maxConnections), a.server, &web.FlagConfig{WebConfigFile: &configFile}, slogger(quietly))
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		a.fail(fmt.Errorf("serve web: %w", err))
	}
}

// stopServer also closes a listener that was never served.
func (a *App) stopServer(ctx context.Context) error {
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, a.server.Close())
	}
	if e := a.listener.Close(); !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	if a.started {
		err = errors.Join(err, wait(ctx, a.served))
	}
	return err
}

// handler routes requests. A request that a web page of another site made the
// browser send is refused unless it only reads.
func (a *App) handler(l *zap.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.exporter.Handler(zap.NewStdLog(l)))
	mux.HandleFunc("GET /-/healthy", a.healthy)
	mux.HandleFunc("GET /-/ready", a.isReady)
	mux.HandleFunc("POST /-/reload", a.reloadByHTTP)
	mux.Handle("/api/", a.api)
	mux.Handle("/{$}", a.api)
	guarded := api.GuardHost(http.NewCrossOriginProtection().Handler(mux), a.listener.Addr(), strings.ToLower(a.options.hostname))
	return secure(guarded)
}

// secure sets headers by which a browser neither guesses, frames, keeps nor
// loads anything from elsewhere.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func (a *App) healthy(w http.ResponseWriter, _ *http.Request) {
	if silent := a.pipeline.silent(); a.ready.Load() && silent > stuck {
		answer(w, http.StatusServiceUnavailable, fmt.Sprintf("no line was taken for %s", silent.Round(time.Second)))
		return
	}
	answer(w, http.StatusOK, "healthy")
}

func (a *App) isReady(w http.ResponseWriter, _ *http.Request) {
	switch {
	case a.stopping.Load():
		answer(w, http.StatusServiceUnavailable, "stopping")
	case !a.ready.Load():
		answer(w, http.StatusServiceUnavailable, "starting")
	default:
		answer(w, http.StatusOK, "ready")
	}
}

func (a *App) reloadByHTTP(w http.ResponseWriter, _ *http.Request) {
	switch err := a.Reload(); {
	case errors.Is(err, ErrNotRunning):
		answer(w, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, errNoLoad):
		answer(w, http.StatusNotImplemented, err.Error())
	case err != nil:
		answer(w, http.StatusInternalServerError, err.Error())
	default:
		answer(w, http.StatusOK, "reloaded")
	}
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, text)
}

// webLogger logs what net/http and the toolkit say under one constant message,
// as their own repeats what clients sent, and no more than webLogBurst entries
// a minute, as any client can cause them.
func (a *App) webLogger() *zap.Logger {
	return a.logger.Named("web").WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return webCore{Core: c, sampler: zapcore.NewSamplerWithOptions(c, time.Minute, webLogBurst, 0)}
	}))
}

const (
	webMessage  = "web server"
	webLogBurst = 20
)

type webCore struct {
	zapcore.Core
	sampler zapcore.Core
}

func (c webCore) With(fields []zapcore.Field) zapcore.Core {
	return webCore{Core: c.Core.With(fields), sampler: c.sampler}
}

func (c webCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	constant := e
	constant.Message = webMessage
	if c.sampler.Check(constant, nil) == nil {
		return checked
	}
	return checked.AddCore(e, c)
}

func (c webCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	fields = append(fields, zap.String("said", relaylens.Escaped(e.Message, 500)))
	e.Message = webMessage
	return c.Core.Write(e, fields)
}
