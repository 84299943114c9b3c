// Package trace sends spans of operations to an OpenTelemetry collector. It is off unless an endpoint is configured.
package trace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"

	"limen/internal/fault"
)

// Tracer opens spans.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   api.Tracer
}

// New connects to a collector's OTLP endpoint over HTTP, for example http://localhost:4318. Spans are sent in batches
// in the background; a collector that is away costs nothing but the spans.
func New(ctx context.Context, endpoint, version, node string) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, err
	}
	return with(sdk.WithBatcher(exporter), version, node), nil
}

func with(out sdk.TracerProviderOption, version, node string) *Tracer {
	p := sdk.NewTracerProvider(out, sdk.WithResource(resource.NewSchemaless(
		attribute.String("service.name", "limen"), attribute.String("service.version", version),
		attribute.String("service.instance.id", node))))
	return &Tracer{p, p.Tracer("limen")}
}

// Start opens the span of an operation; the function it returns ends it with its outcome.
func (t *Tracer) Start(ctx context.Context, path, request string) (context.Context, func(*fault.Error)) {
	ctx, span := t.tracer.Start(ctx, path, api.WithSpanKind(api.SpanKindServer), api.WithAttributes(attribute.String("limen.request", request)))
	return ctx, func(f *fault.Error) {
		if f != nil {
			span.SetAttributes(attribute.String("limen.fault", f.Code))
			if f.Kind == fault.Internal {
				span.SetStatus(codes.Error, f.Code)
			}
		}
		span.End()
	}
}

// Close sends what is left.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
