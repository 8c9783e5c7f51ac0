//! Compiles the rules of tags, domains, cues and roles.

use std::str::FromStr;

use cw_model::{ClaimStatus, RoleKind};
use cw_text::likeness::hint;
use strum::VariantNames;
use toml::Spanned;

use super::Compiler;
use crate::bits::Bits;
use crate::lexicon::parts::{
    Combination, Cue, Domain, Effect, Frame, Need, Negation, Order, Part, Particles, Place,
    RoleRule, Speaker, TagRules,
};
use crate::lexicon::raw::{
    RawCombination, RawCue, RawDomain, RawEffect, RawFrame, RawPart, RawParticles, RawRole,
    RawTagRules, RawTerms, Written,
};
use crate::matcher::{Purpose, Use};
use crate::taxonomy::{Taxonomy, is_or_is_under};

/// What a name in a file means, or why it means nothing.
fn named<T: FromStr + VariantNames>(name: &str) -> Result<T, String> {
    name.parse().map_err(|_unknown| {
        format!("\"{name}\" is not known{}", hint(name, T::VARIANTS.iter().copied()))
    })
}

impl Compiler<'_> {
    /// The index of the rules of a tag, new ones if there are none yet; `None` if there is no such tag.
    pub(super) fn tag(&mut self, id: &str, taxonomy: &Taxonomy) -> Option<usize> {
        let known = self.tags.iter().position(|tag| tag.kind.id.as_str() == id);
        known.or_else(|| {
            let kind = taxonomy.tag(id)?.clone();
            let negation = Negation::Counts;
            self.tags.push(TagRules { kind, needs: Vec::new(), without: Vec::new(), negation });
            Some(self.tags.len() - 1)
        })
    }

    pub(super) fn add_tag(&mut self, raw: &Spanned<RawTagRules>, taxonomy: &Taxonomy) {
        let raw = self.go_to(raw);
        let key = format!("tag \"{}\"", raw.id);
        let Some(tag) = self.tag(&raw.id, taxonomy) else {
            let hint = hint(&raw.id, taxonomy.ids());
            self.report_unknown(Some(format!("{key}: not in the taxonomy{hint}")));
            return;
        };
        let needs = self.sets(&key, &raw.needs);
        let without = self.sets(&key, &raw.without);
        if let Some(rules) = self.tags.get_mut(tag) {
            rules.needs.extend(needs);
            rules.without.extend(without);
            if raw.negation == Negation::Ignored {
                rules.negation = raw.negation;
            }
        }
        for terms in &raw.terms {
            let RawTerms { weight, any } = self.go_to(terms);
            self.check_share(&key, *weight);
            for term in any {
                self.go_to(term);
                let (written, weight) = (self.next_written(), *weight);
                let purpose = Purpose::Use(Use::Term { tag, written, weight });
                self.add_terms(&key, std::slice::from_ref(term), purpose);
            }
        }
        for combination in &raw.combinations {
            self.add_combination(&key, tag, combination);
        }
    }

    fn add_combination(&mut self, key: &str, tag: usize, combination: &Spanned<RawCombination>) {
        let raw = self.go_to(combination);
        self.check_share(key, raw.weight);
        let all: Vec<Part> = raw.all.iter().map(|part| self.part(key, part)).collect();
        self.go_to(combination);
        let required = all.iter().filter(|part| part.need == Need::Required);
        let required: Vec<usize> = required.map(|part| part.set).collect();
        self.report(
            (required.len() < 2)
                .then(|| format!("{key}: a combination needs at least two parts in \"all\"")),
        );
        let optional = all.iter().any(|part| part.need == Need::Optional);
        self.report((optional && raw.order != Order::AsWritten).then(|| {
            format!("{key}: a part may only be missing (\"?\") with order = \"as_written\"")
        }));
        let without = self.sets(key, &raw.without);
        let not_between = self.sets(key, &raw.not_between);
        self.go_to(combination);
        let written = self.next_written();
        self.combinations.push(Combination {
            tag,
            written,
            weight: raw.weight,
            all,
            required,
            within: raw.within,
            order: raw.order,
            without,
            not_between,
        });
    }

    fn part(&mut self, key: &str, raw: &Spanned<RawPart>) -> Part {
        let written = match self.go_to(raw) {
            RawPart::One(part) => part,
            RawPart::Any(terms) => {
                let terms: Vec<Written> =
                    terms.iter().map(|term| Spanned::new(raw.span(), term.clone())).collect();
                let set = self.unnamed_set(key, &terms);
                return Part { set, role: None, need: Need::Required };
            }
        };
        let (written, need) = match written.strip_suffix('?') {
            Some(rest) => (rest, Need::Optional),
            None => (written.as_str(), Need::Required),
        };
        let (role, written) = match written.split_once(':') {
            Some((role, rest)) => (Some(role), rest),
            None => (None, written),
        };
        let role = role.and_then(|role| match named::<RoleKind>(role) {
            Ok(role) => Some(role),
            Err(detail) => {
                self.report(Some(format!("{key}: role {detail}")));
                None
            }
        });
        Part { set: self.set(key, written), role, need }
    }

    pub(super) fn add_domain(&mut self, raw: &Spanned<RawDomain>) {
        let raw = self.go_to(raw);
        let origin = self.here.clone();
        let key = format!("domain \"{}\"", raw.flag);
        let index = self.domains.len();
        self.check_share(&key, raw.threshold);
        self.report(
            (raw.ratio.is_nan() || raw.ratio <= 0.0)
                .then(|| format!("{key}: ratio must be above 0")),
        );
        for terms in &raw.terms {
            let RawTerms { weight, any } = self.go_to(terms);
            self.check_share(&key, *weight);
            for term in any {
                self.go_to(term);
                let (domain, written, weight) = (index, self.next_written(), *weight);
                let purpose = Purpose::Use(Use::Domain { domain, written, weight });
                self.add_terms(&key, std::slice::from_ref(term), purpose);
            }
        }
        self.domains.push(Domain {
            flag: raw.flag.clone(),
            threshold: raw.threshold,
            ratio: raw.ratio,
            casualties: raw.casualties,
            origin,
        });
    }

    pub(super) fn add_cue(&mut self, raw: &Spanned<RawCue>) {
        let raw = self.go_to(raw);
        let origin = self.here.clone();
        let key = match (&raw.flag, &raw.claim) {
            (Some(flag), _) => format!("cue \"{flag}\""),
            (None, Some(claim)) => format!("cue of claim \"{claim}\""),
            (None, None) => "cue".to_owned(),
        };
        self.report(
            (raw.before.is_none() && raw.after.is_none())
                .then(|| format!("{key}: give \"before\", \"after\" or both, in words")),
        );
        let claims = raw.effect == RawEffect::Claims;
        self.report((claims != raw.claim.is_some()).then(|| {
            format!("{key}: \"claim\" goes with effect = \"claims\", and the other way round")
        }));
        self.report((!claims && raw.flag.is_none()).then(|| format!("{key}: give \"flag\"")));
        let status = raw.claim.as_deref().map(named::<ClaimStatus>);
        let effect = match (raw.effect, status) {
            (RawEffect::Negates, _) => Effect::Negates,
            (RawEffect::Halves, _) => Effect::Halves,
            (RawEffect::Claims, Some(Ok(status))) => Effect::Claims(status),
            (RawEffect::Claims, Some(Err(detail))) => {
                self.report(Some(format!("{key}: claim {detail}")));
                Effect::Flags
            }
            (RawEffect::Flags, _) | (RawEffect::Claims, None) => Effect::Flags,
        };
        self.add_terms(&key, &raw.terms, Purpose::Use(Use::Cue(self.cues.len())));
        let speaker = raw.speaker.map(|speaker| Speaker {
            within: speaker.within,
            place: speaker.place,
            need: if speaker.required { Need::Required } else { Need::Optional },
        });
        self.cues.push(Cue {
            flag: raw.flag.clone(),
            effect,
            before: raw.before,
            after: raw.after,
            reach: raw.reach,
            speaker,
            origin,
        });
    }

    fn role_kind(&mut self, name: &str) -> Option<RoleKind> {
        let kind = named::<RoleKind>(name);
        self.report(kind.as_ref().err().map(|detail| format!("role {detail}")));
        kind.ok()
    }

    /// The tags of these ids, and those under them.
    fn tags_under(&mut self, key: &str, ids: &[String], taxonomy: &Taxonomy) -> Vec<usize> {
        let mut tags = Vec::new();
        for id in ids {
            let under: Vec<String> = taxonomy
                .ids()
                .filter(|known| is_or_is_under(known, id))
                .map(str::to_owned)
                .collect();
            self.report_unknown(under.is_empty().then(|| {
                format!("{key}: no tag \"{id}\" in the taxonomy{}", hint(id, taxonomy.ids()))
            }));
            tags.extend(under.iter().filter_map(|id| self.tag(id, taxonomy)));
        }
        tags
    }

    pub(super) fn add_frame(&mut self, frame: &Spanned<RawFrame>, taxonomy: &Taxonomy) {
        let raw = self.go_to(frame);
        let key = format!("frame of \"{}\"", raw.tags.join("\", \""));
        let tags = self.tags_under(&key, &raw.tags, taxonomy);
        let [subject, object, beside] = [&raw.subject, &raw.object, &raw.beside]
            .map(|name| name.as_ref().and_then(|name| self.role_kind(name)));
        let [verbs, suffered, nouns, onto] = [&raw.verbs, &raw.suffered, &raw.nouns, &raw.onto]
            .map(|terms| (!terms.is_empty()).then(|| self.unnamed_set(&key, terms)));
        self.go_to(frame);
        let empty = verbs.is_none() && suffered.is_none() && nouns.is_none();
        self.report(empty.then(|| format!("{key}: give \"verbs\", \"suffered\" or \"nouns\"")));
        let frame = Frame {
            tags,
            subject,
            object,
            beside,
            subjects: self.set(&key, &raw.subjects),
            objects: self.set(&key, &raw.objects),
            verbs,
            suffered,
            nouns,
            onto,
        };
        self.frames.push(frame);
    }

    pub(super) fn add_particles(&mut self, raw: &RawParticles) {
        self.report(self.particles.is_some().then(|| "[particles] is given twice".to_owned()));
        let mut set = |terms: &[Written]| self.unnamed_set("particles", terms);
        let particles = Particles {
            agent: set(&raw.agent),
            beside: set(&raw.beside),
            led: set(&raw.led),
            articles: set(&raw.articles),
            joins: set(&raw.joins),
            said: set(&raw.said),
            own: set(&raw.own),
            accuses: set(&raw.accuses),
            accused: set(&raw.accused),
            be: set(&raw.be),
            participles: set(&raw.participles),
            after_participle: set(&raw.after_participle),
            breaks: set(&raw.breaks),
            backed: set(&raw.backed),
        };
        self.particles = Some(particles);
    }

    pub(super) fn add_role(&mut self, raw: &RawRole, taxonomy: &Taxonomy) {
        let key = format!("role \"{}\"", raw.role);
        let Some(role) = self.role_kind(&raw.role) else { return };
        let tags = self.tags_under(&key, &raw.tags, taxonomy);
        let rule = RoleRule {
            role,
            tags,
            actors: self.set(&key, &raw.actors),
            place: raw.place,
            within: raw.within,
            after: raw.after.as_ref().map(|set| self.set(&key, set)),
            not_between: self.sets(&key, &raw.not_between),
        };
        let useless = raw.place != Place::After && raw.after.is_some();
        self.report(useless.then(|| format!("{key}: \"after\" goes with place = \"after\"")));
        self.roles.push(rule);
    }

    /// The sets whose matches something asks for besides combinations.
    pub(super) fn asked_sets(&self) -> Bits {
        let of_frames = self.frames.iter().flat_map(|frame| {
            let Frame { subjects, objects, verbs, suffered, nouns, onto, .. } = *frame;
            [Some(subjects), Some(objects), verbs, suffered, nouns, onto]
        });
        let of_roles = self.roles.iter().flat_map(|role| {
            let others = role.not_between.iter().map(|set| Some(*set));
            [Some(role.actors), role.after].into_iter().chain(others)
        });
        let of_tags = self.tags.iter().flat_map(|tag| &tag.without).map(|set| Some(*set));
        let of_particles = self.particles.iter().flat_map(Particles::sets).map(Some);
        let mut asked = Bits::none(self.set_count);
        for set in of_frames.chain(of_roles).chain(of_tags).chain(of_particles).flatten() {
            asked.insert(set);
        }
        asked
    }
}
