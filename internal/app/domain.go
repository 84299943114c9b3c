package app

import (
	"context"
	"time"

	"limen/internal/core/domain"
	"limen/internal/core/job"
	"limen/internal/core/rolegroup"
	"limen/internal/core/template"
	"limen/internal/platform/egress"
)

// wireDomains wires mail domains with what shows that they are somebody's.
func (a *App) wireDomains() {
	a.Domains = &domain.Domains{DB: a.DB, TXT: a.Resolver.TXT, Page: a.askPage, Act: a.act}
	a.Orgs.Gone = append(a.Orgs.Gone, a.Domains.Gone, rolegroup.OrgGone, template.Gone)
	a.Roles.Deleted = append(a.Roles.Deleted, rolegroup.RoleGone)
}

// askPage asks an https address that somebody named.
func (a *App) askPage(ctx context.Context, url string) (status int, body []byte, err error) {
	out, err := a.Egress.Do(ctx, egress.Request{URL: url})
	return out.Status, out.Body, err
}

// domainSweeps look again whether mail domains are still whose they were.
func (a *App) domainSweeps() []job.Sweep {
	return []job.Sweep{
		{Name: "proofs of mail domains", Every: 10 * time.Minute, Run: func(ctx context.Context) error { return a.Domains.Recheck(ctx, time.Now()) }},
		{Name: "codes of mail domains", Every: time.Hour, Run: func(ctx context.Context) error { return a.Domains.Sweep(ctx, a.DB, time.Now()) }},
	}
}
