package report

import (
	"fmt"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (c *checker) hazard(h *wf.Hazard) {
	t := h.GetMessageType()
	if t == 0 || !known(t, wf.MessageType_MESSAGE_TYPE_ERROR) {
		c.enum("message_type", int32(t), "the CAP message types")
	}
	// A CAP Cancel, Ack or Error needs no info block and so names no event.
	if t == wf.MessageType_MESSAGE_TYPE_ALERT || t == wf.MessageType_MESSAGE_TYPE_UPDATE {
		c.need("event", h.GetEvent(), "name the event as the source does")
	}
	c.line("event", h.GetEvent(), maxName)
	c.line("event_code", h.GetEventCode(), maxToken)
	c.codes("categories", h.GetCategories(), capCategories, "a CAP category")
	c.codes("response_types", h.GetResponseTypes(), capResponses, "a CAP response type")
	if !known(h.GetUrgency(), wf.Urgency_URGENCY_IMMEDIATE) {
		c.enum("urgency", int32(h.GetUrgency()), "the CAP urgencies")
	}
	if !known(h.GetCertainty(), wf.Certainty_CERTAINTY_OBSERVED) {
		c.enum("certainty", int32(h.GetCertainty()), "the CAP certainties")
	}
	c.code("scope", h.GetScope(), capScopes, "Public, Restricted or Private")
	c.moment("onset", h.GetOnset())
	c.lines("zones", h.GetZones(), maxRefs, maxToken)
	c.line("sender", h.GetSender(), maxName)
	c.lines("addresses", h.GetAddresses(), maxMany, maxName)
	if c.count("infos", len(h.GetInfos()), maxFew) {
		for i, info := range h.GetInfos() {
			c.enter("infos", i)
			c.language("language", info.GetLanguage())
			c.text("headline", info.GetHeadline(), maxTitle)
			c.text("description", info.GetDescription(), MaxSize)
			c.text("instruction", info.GetInstruction(), MaxSize)
			c.line("event", info.GetEvent(), maxName)
			c.leave()
		}
	}
}

func (c *checker) cyber(y *wf.Cyber) {
	c.need("object_type", y.GetObjectType(), `use the STIX object type, or "event"`)
	if t := y.GetObjectType(); t != "" && !token(t, maxToken) {
		c.refuse(admission.Invalid, "object_type", quoted("type", t)+" is not a word of letters, digits and '-'", `use the STIX object type, or "event"`)
	}
	c.text("name", y.GetName(), maxTitle)
	c.text("pattern", y.GetPattern(), maxText)
	if y.GetPattern() != "" {
		c.need("pattern_type", y.GetPatternType(), `say the language of the pattern, such as "stix"`)
	}
	c.line("pattern_type", y.GetPatternType(), maxToken)
	c.lines("types", y.GetTypes(), maxFew, maxName)
	c.lines("kill_chain_phases", y.GetKillChainPhases(), maxFew, maxName)
	if y.Confidence != nil {
		c.between("confidence", int64(y.GetConfidence()), 0, 100)
	}
	c.between("observed_count", y.GetObservedCount(), 0, 999_999_999)
	c.lines("sectors", y.GetSectors(), maxFew, maxName)
	c.span("", "valid_from", y.GetValidFrom(), "valid_until", y.GetValidUntil())
	c.lines("object_ids", y.GetObjectIds(), maxRefs, maxName)
}

const maxPeople = 1_000_000_000

func (c *checker) incident(n *wf.Incident) {
	if n.GetNumber() == "" && n.GetType() == "" && n.GetOffenseCode() == "" {
		c.refuse(admission.Missing, "type", "the incident has no number, type or offense code", "give at least one")
	}
	c.line("number", n.GetNumber(), maxName)
	c.line("type", n.GetType(), maxName)
	c.line("size_unit", n.GetSizeUnit(), maxToken)
	c.line("commander", n.GetCommander(), maxName)
	c.line("offense_code", n.GetOffenseCode(), maxToken)
	c.between("complexity", int64(n.GetComplexity()), 0, 5)
	c.between("percent_contained", int64(n.GetPercentContained()), 0, 100)
	c.between("fatalities", int64(n.GetFatalities()), 0, maxPeople)
	c.between("injuries", int64(n.GetInjuries()), 0, maxPeople)
	c.between("evacuated", int64(n.GetEvacuated()), 0, maxPeople)
	c.between("sheltered", int64(n.GetSheltered()), 0, maxPeople)
	c.measure("size", n.GetSize(), n.GetSizeUnit())
}

// measure checks an amount and that it has a unit.
func (c *checker) measure(field string, v float64, unit string) {
	if !(v >= 0 && v <= 1e15) { // NaN too
		c.refuse(admission.Invalid, field, fmt.Sprintf("%v is not an amount", v), "give a number that is not negative")
	}
	if v > 0 && unit == "" {
		c.refuse(admission.Missing, field+"_unit", "there is an amount without a unit", "name the unit")
	}
}
