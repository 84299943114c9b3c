package workflows

import (
	"context"
	"strings"
	"time"

	core "limen/internal/core/workflow"
	"limen/internal/fault"
	"limen/internal/op"
)

// Start is a job to be started.
type Start struct {
	// Script is a virtual path, required. /lib/application_access_request.js asks for access to an application; there are no others.
	Script string `json:"script"`
	// Args are what the script wants: AppKey, the application's id or name, required; Reason; and for how long: AssignmentType perm or
	// window, StartTime and EndTime in ISO 8601.
	Args any `json:"args"`
}

// Check wants a script's path, and an object.
func (s *Start) Check() error {
	switch {
	case strings.TrimSpace(s.Script) == "":
		return fault.Missing("script")
	case !strings.HasPrefix(s.Script, "/"):
		return ErrSlash
	}
	_, err := object(s.Args)
	return err
}

// object reads arguments, which are an object or nothing.
func object(v any) (map[string]any, error) {
	if v == nil {
		return map[string]any{}, nil
	}
	out, ok := v.(map[string]any)
	if !ok {
		return nil, ErrCast
	}
	return out, nil
}

// member reads a text of an object, whatever the case of its name.
func member(args map[string]any, names ...string) string {
	for _, name := range names {
		for have, v := range args {
			if text, ok := v.(string); ok && strings.EqualFold(have, name) {
				return strings.TrimSpace(text)
			}
		}
	}
	return ""
}

// window reads for how long; nil where nothing is said of it.
func window(args map[string]any) (*core.Options, error) {
	kind, from, until := strings.ToLower(member(args, "AssignmentType")), member(args, "StartTime"), member(args, "EndTime")
	switch kind {
	case "":
		if from+until == "" {
			return nil, nil //nolint:nilnil // nothing is an answer
		}
	case "perm":
		return &core.Options{}, nil
	case "window":
		if until == "" {
			return nil, core.ErrWindow
		}
	default:
		return nil, fault.Bad("AssignmentType", "must be perm or window")
	}
	var out core.Options
	for text, to := range map[string]*int64{from: &out.From, until: &out.Until} {
		if text == "" {
			continue
		}
		t, err := moment(text)
		if err != nil {
			return nil, fault.Bad("EndTime", "and StartTime must be times such as 2026-11-23T08:00:00Z")
		}
		*to = t.UnixMilli()
	}
	return &out, nil
}

// moment reads a time of ISO 8601; one without a zone is UTC.
func moment(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// StartJob starts a job, and answers its UUID. The one script that can be started asks for access to an application for the caller: the
// application has WorkflowEnabled and approvers, and the caller may not use it yet. Each approver in turn is written to. The scripts
// of other systems do not run here.
//
// Errors: workflow.script_path, workflow.script_not_found, workflow.args, workflow.closed, workflow.has_access, workflow.pending,
// workflow.too_many, workflow.window. workflow.yaml n 499.
func (w Workflows) StartJob(ctx context.Context, c *op.Call, in Start) (string, error) {
	if !strings.EqualFold(in.Script, core.AccessScript) {
		return "", core.ErrScript
	}
	args, err := object(in.Args)
	if err != nil {
		return "", err
	}
	r := core.Request{App: member(args, "AppKey", "App", "ID", "_RowKey"), Reason: member(args, "Reason")}
	if r.App == "" {
		return "", fault.Missing("AppKey")
	}
	for name, v := range args { // as the portal sends them, or beside the rest
		if nested, ok := v.(map[string]any); ok && strings.EqualFold(name, "RequestedOptions") {
			args = nested
		}
	}
	o, err := window(args)
	if err != nil {
		return "", err
	}
	if o != nil {
		r.Options = *o
	}
	return w.Flows.Start(ctx, c, r)
}

// Event is something that happens to a job.
type Event struct {
	// JobID is the job's UUID, required.
	JobID string `json:"jobid" also:"ID"`
	// Event is approve, reject, or cancel; required.
	Event string `json:"event"`
	// Sync is taken and does nothing: an event has been handled when it is answered.
	Sync op.Opt[bool] `json:"sync"`
	// Answer are the event's arguments, an object. Of approve: AccessType App, AssignmentType perm or window, StartTime and EndTime in ISO
	// 8601; without them access is given as it was asked for. Of reject: Reason.
	Answer any `json:"args"`
}

// Check wants a job, an event, and an object.
func (e *Event) Check() error {
	if strings.TrimSpace(e.Event) == "" {
		return fault.Missing("event")
	}
	if _, err := object(e.Answer); err != nil {
		return err
	}
	return (&Ref{JobID: e.JobID}).Check()
}

// Event answers a request: an approver whose turn it is, or a system administrator, approves or rejects it; who asked cancels it. Behind the
// last approver the requestor may use the application, by an entry of their own with View, Run and Automatic, for good or for the time
// that was approved; both answers are mailed. The approver with OptionsSelector chooses for how long; where nobody has that, the first. Nobody
// answers their own request, whatever they may else.
//
// Of a sign-up the last approval lets in who registered, and a rejection does not; they are told by mail. Nobody approves somebody who has given the
// approver's own mail address or mobile number.
//
// Errors: workflow.not_found, workflow.resolved, workflow.not_approver, workflow.own, workflow.event, workflow.options, workflow.window,
// workflow.args, workflow.same_person, app.own_rights. workflow.yaml n 495.
func (w Workflows) Event(ctx context.Context, c *op.Call, in Event) (op.None, error) {
	args, err := object(in.Answer)
	if err != nil {
		return op.None{}, err
	}
	a := core.Answer{Event: strings.ToLower(strings.TrimSpace(in.Event)), Reason: member(args, "Reason")}
	if a.Event == "approve" {
		if a.Options, err = window(args); err != nil {
			return op.None{}, err
		}
	}
	_, err = w.Flows.Answer(ctx, c, in.JobID, a)
	return op.None{}, err
}
