// Package dialects tries that a person is the same in every dialect: whatever is done through one of them shows in all
// others at once. It has tests only.
package dialects
