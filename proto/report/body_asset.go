package report

import (
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (c *checker) asset(a *wf.Asset) {
	if a.GetAssetId() == "" && a.GetName() == "" {
		c.refuse(admission.Missing, "asset_id", "the asset has no id and no name", "give at least one")
	}
	c.line("asset_id", a.GetAssetId(), maxName)
	c.line("name", a.GetName(), maxName)
	c.lines("aliases", a.GetAliases(), maxFew, maxName)
	c.code("sector", a.GetSector(), Sectors, "a sector of PPD-21")
	c.line("subsector", a.GetSubsector(), maxName)
	if !known(a.GetLifeline(), wf.Lifeline_LIFELINE_WATER_SYSTEMS) {
		c.enum("lifeline", int32(a.GetLifeline()), "the community lifelines")
	}
	if !known(a.GetLifelineStatus(), wf.LifelineStatus_LIFELINE_STATUS_BLUE) {
		c.enum("lifeline_status", int32(a.GetLifelineStatus()), "the lifeline colors")
	}
	if a.GetLifelineStatus() > 0 && a.GetLifeline() == 0 {
		c.refuse(admission.Missing, "lifeline", "there is a lifeline status but no lifeline", "name the lifeline")
	}
	c.between("tier", int64(a.GetTier()), 0, 9)
	c.line("owner_type", a.GetOwnerType(), maxToken)
	c.measure("capacity", a.GetCapacity(), a.GetCapacityUnit())
	c.line("capacity_unit", a.GetCapacityUnit(), maxToken)
	c.line("hazard_class", a.GetHazardClass(), maxToken)
}

// Mutual-aid compacts that a request or offer may go under.
const (
	emac = "EMAC"
	smac = "SMAC"
)

func (c *checker) resource(r *wf.Resource) {
	if r.GetName() == "" && r.GetCategory() == "" {
		c.refuse(admission.Missing, "name", "the resource has no name and no category", "give at least one")
	}
	c.line("category", r.GetCategory(), maxName)
	c.line("name", r.GetName(), maxName)
	c.code("resource_kind", r.GetResourceKind(), resourceKinds, "team, personnel, equipment, supplies, vehicle, aircraft or facility")
	c.between("nims_type", int64(r.GetNimsType()), 0, 7)
	c.between("quantity", int64(r.GetQuantity()), 0, maxPeople)
	c.between("estimated_cost_usd", r.GetEstimatedCostUsd(), 0, 1e15)
	if s := r.GetState(); s == 0 || !known(s, wf.ResourceState_RESOURCE_STATE_DEMOBILIZED) {
		c.enum("state", int32(s), "the resource states of the schema")
	}
	c.line("requesting_jurisdiction", r.GetRequestingJurisdiction(), maxName)
	c.line("assisting_jurisdiction", r.GetAssistingJurisdiction(), maxName)
	c.text("mission", r.GetMission(), maxText)
	c.moment("needed_by", r.GetNeededBy())
	c.mutualAid(r)
}

// mutualAid checks that a request says who asks, and an offer who gives.
func (c *checker) mutualAid(r *wf.Resource) {
	switch r.GetCompact() {
	case "":
		return
	case emac, smac:
	default:
		c.refuse(admission.Invalid, "compact", quoted("compact", r.GetCompact())+" is not EMAC or SMAC", "name the compact, or leave it out")
	}
	c.need("requesting_jurisdiction", r.GetRequestingJurisdiction(), "name who asks for aid")
	if r.GetState() == wf.ResourceState_RESOURCE_STATE_REQUESTED {
		return
	}
	c.need("assisting_jurisdiction", r.GetAssistingJurisdiction(), "name who gives aid")
	if a := r.GetAssistingJurisdiction(); a != "" && a == r.GetRequestingJurisdiction() {
		c.refuse(admission.Invalid, "assisting_jurisdiction", "a jurisdiction cannot aid itself", "correct one of the two")
	}
}
