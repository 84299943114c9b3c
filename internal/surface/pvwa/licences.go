package pvwa

import (
	"context"
	"math"

	"limen/internal/core/vault"
	"limen/internal/op"
)

func (p PVWA) licences() []op.Op {
	sp := reads("/API/licenses/pcloud", op.System)
	sp.Paths, sp.Rate = []string{base + "/licenses/pcloud"}, op.Costly
	return []op.Op{op.New(sp, p.GetLicences)}
}

// LicenceElement is the use of one kind of licence.
type LicenceElement struct {
	// Name is a type of users.
	Name string `json:"name"`
	// Used is how many users of the type the tenant has, disabled ones among them.
	Used int64 `json:"used"`
	// Total is how many there may be: 2147483647, as no licence limits them.
	Total int64 `json:"total"`
}

// LicenceData are kinds of licences.
type LicenceData struct {
	// Elements are the kinds, in the order of the types' numbers.
	Elements []LicenceElement `json:"licencesElements"`
}

// Licences are the figures of licences.
type Licences struct {
	// ComponentName is Privilege Cloud.
	ComponentName string `json:"componentName"`
	// OptionalSummary is null: the figures are all that there is.
	OptionalSummary *LicenceElement `json:"optionalSummary"`
	// Data has one item.
	Data []LicenceData `json:"licensesData"`
}

// GetLicences counts the tenant's users by their types. No licence limits them. pvwa.yaml, GET /API/licenses/pcloud/.
func (p PVWA) GetLicences(ctx context.Context, c *op.Call, _ op.None) (Licences, error) {
	uses, err := vault.Uses(ctx, c)
	data := LicenceData{}
	for _, u := range uses {
		data.Elements = append(data.Elements, LicenceElement{Name: u.Type, Used: u.N, Total: math.MaxInt32})
	}
	return Licences{ComponentName: "Privilege Cloud", Data: []LicenceData{data}}, err
}
