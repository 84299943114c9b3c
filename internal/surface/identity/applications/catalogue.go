package applications

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/app"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

var templateColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "DisplayName"}, {Name: "Description"}, {Name: "AppType"}, {Name: "AppTypeDisplayName"},
	{Name: "WebAppType"}, {Name: "WebAppTypeDisplayName"}, {Name: "Category"}, {Name: "Version"}, {Name: "WebAppLoginType"}, {Name: "ServiceName"},
	{Name: "UserNameStrategy"}, {Name: "TemplateName"}, {Name: "Icon"}, {Name: "Generic", Type: rpc.TypeBool}, {Name: "IsSwsEnabled", Type: rpc.TypeBool},
	{Name: "IsScaEnabled", Type: rpc.TypeBool},
}

func listed(all []app.Template, full int) rpc.Query {
	out := rpc.Query{Columns: templateColumns, FullCount: full, Results: []rpc.Row{}}
	for _, t := range all {
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: "ApplicationTemplate", Key: t.ID}}, Row: []any{
			t.ID, t.Name, t.Name, t.Description, t.Kind, app.KindLabel(t.Kind, t.Type), t.Type, app.TypeLabel(t.Type), t.Category, nil, nil, nil, nil, t.ID, t.Icon,
			t.Generic, nil, nil,
		}})
	}
	return out
}

// Catalogue is a page of the templates with all categories.
type Catalogue struct {
	AppTemplates rpc.Query `json:"AppTemplates"`
	Categories   []string  `json:"Categories"`
}

// GetTemplatesAndCategories lists the templates of applications, the generic ones first, and their categories. apps.yaml n 192.
func (a Applications) GetTemplatesAndCategories(context.Context, *op.Call, op.None) (Catalogue, error) {
	all := app.Templates()
	return Catalogue{listed(all, len(all)), app.Categories()}, nil
}

// GetCustomWebAppTemplates lists the generic templates. apps.yaml, behind n 192.
func (a Applications) GetCustomWebAppTemplates(context.Context, *op.Call, op.None) (rpc.Query, error) {
	all := slices.DeleteFunc(app.Templates(), func(t app.Template) bool { return !t.Generic })
	return listed(all, len(all)), nil
}

// Categories are the categories of templates.
type Categories struct {
	Categories []string `json:"Categories"`
}

// GetCategories lists the categories of templates, sorted. apps.yaml, behind n 192.
func (a Applications) GetCategories(context.Context, *op.Call, op.None) (Categories, error) {
	return Categories{app.Categories()}, nil
}

// TemplateArgs say which templates are wanted.
type TemplateArgs struct {
	// PageNumber counts pages from 1.
	PageNumber int `json:"PageNumber"`
	// PageSize is the number of templates of a page, 1 to 10,000; 10,000 when absent.
	PageSize int `json:"PageSize"`
	// Limit bounds a page as well.
	Limit int `json:"Limit"`
	// FilterBy are the columns in which FilterValue is searched: DisplayName, Name, WebAppType; all of them when absent.
	FilterBy []string `json:"FilterBy" rpc:"one,commas"`
	// FilterValue is a part of a text, whatever its case.
	FilterValue string `json:"FilterValue"`
}

// TemplatePage asks for a page of templates.
type TemplatePage struct {
	// Args say which.
	Args TemplateArgs `json:"Args"`
}

const maxPage = 10_000

// Check wants numbers that make sense.
func (p *TemplatePage) Check() error {
	a := &p.Args
	if a.PageNumber <= 0 {
		a.PageNumber = 1
	}
	if a.PageSize <= 0 || a.PageSize > maxPage {
		a.PageSize = maxPage
	}
	if a.Limit > 0 {
		a.PageSize = min(a.PageSize, a.Limit)
	}
	if a.PageNumber > maxPage || len(a.FilterValue) > 500 {
		return fault.Bad("Args", "names a page or a text that cannot be")
	}
	return nil
}

// TemplatesPage is a page of templates.
type TemplatesPage struct {
	AppTemplates rpc.Query `json:"AppTemplates"`
}

// GetPaginatedTemplates pages through the templates. With FilterValue those that have it in a column; who has exactly it as id
// or name comes first. apps.yaml, behind n 192.
func (a Applications) GetPaginatedTemplates(_ context.Context, _ *op.Call, in TemplatePage) (TemplatesPage, error) {
	args := in.Args
	all := slices.DeleteFunc(app.Templates(), func(t app.Template) bool { return !args.has(t) })
	want := fold.Key(args.FilterValue)
	slices.SortStableFunc(all, func(a, b app.Template) int { return exact(b, want) - exact(a, want) })
	full := len(all)
	from := min((args.PageNumber-1)*args.PageSize, full)
	return TemplatesPage{listed(all[from:min(from+args.PageSize, full)], full)}, nil
}

func exact(t app.Template, want string) int {
	if fold.Key(t.ID) == want || fold.Key(t.Name) == want {
		return 1
	}
	return 0
}

// has says whether a template has the text that is searched.
func (a TemplateArgs) has(t app.Template) bool {
	if a.FilterValue == "" {
		return true
	}
	for column, text := range map[string]string{"DisplayName": t.Name, "Name": t.ID, "WebAppType": t.Type} {
		if len(a.FilterBy) > 0 && !slices.ContainsFunc(a.FilterBy, func(by string) bool { return strings.EqualFold(by, column) }) {
			continue
		}
		if strings.Contains(fold.Key(text), fold.Key(a.FilterValue)) {
			return true
		}
	}
	return false
}

// CatalogRef names an application or a template.
type CatalogRef struct {
	// AppKey is an application's id or name, or a template's id; required.
	AppKey string `json:"appKey" also:"ID,_RowKey"`
}

// Check wants it.
func (r *CatalogRef) Check() error {
	if strings.TrimSpace(r.AppKey) == "" {
		return fault.Missing("appKey")
	}
	return nil
}

// IsApplicationAvailableInCatalog says whether the template of an application is still offered. Errors: app.not_found.
// apps.yaml n 193.
func (a Applications) IsApplicationAvailableInCatalog(ctx context.Context, c *op.Call, in CatalogRef) (bool, error) {
	return a.Apps.Offered(ctx, c, in.AppKey)
}
