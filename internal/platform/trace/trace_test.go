package trace

import (
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"limen/internal/fault"
)

func TestSpansCarryTheFault(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tr := with(sdk.WithSyncer(spans), "v1", "n1")
	_, end := tr.Start(t.Context(), "/Security/WhoAmI", "id:1")
	end(fault.ErrInternal)
	got := spans.GetSpans()
	if len(got) != 1 || got[0].Name != "/Security/WhoAmI" || got[0].Status.Description != "internal" {
		t.Fatalf("%+v", got)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
