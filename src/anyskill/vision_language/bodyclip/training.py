"""Training BodyCLIP: states, sentences and pictures of the same moments come together, all others part.

First states learn what is claimed of them, with neither eyes nor reading: a claim is a direction, so every sentence
says something of every fact in it. Then the text tower learns to put sentences where their claims are, and at last the
image tower to say of a picture what the state tower says of the body in it. What was learnt before rests.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

from anyskill.body.state import BodyState
from anyskill.learning.guard import check_finite
from anyskill.learning.optimizer import OptimizerState
from anyskill.learning.precision import has_bfloat16
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.bodyclip.batches import Batch, random_batch
from anyskill.vision_language.bodyclip.claims import Claims, ClaimTower
from anyskill.vision_language.bodyclip.common import common_direction
from anyskill.vision_language.bodyclip.losses import contrastive_loss, cosine_loss, pair_loss, share_found, synonym_loss
from anyskill.vision_language.bodyclip.model import BodyClip, planes_of
from anyskill.vision_language.bodyclip.moments import MomentSampler, all_labels, slowed, unsteady
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import Shards
from anyskill.vision_language.bodyclip.teacher import Lessons, meaning_of
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer, Tokens
from anyskill.vision_language.bodyclip.towers import Towers, encode_in_groups

# One over the temperatures at which what moves is held against the same slowed, and against whatever else moves. At
# that of contrast a tenth of cosine would do, and who stands or walks would be paid three quarters of what a kick is.
_MOVING, _RIVALS = 5.0, 10.0
_ALIKE = 0.95  # bodies whose features have this cosine need not be told apart
_SETTLED = 0.5  # share of the iterations of pictures after which batch normalisation learns no more


@dataclass
class _Clock:
    """Iterations done."""

    iteration: int = 0

    def state_dict(self) -> dict[str, Any]:
        return {"iteration": self.iteration}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.iteration = state["iteration"]


class BodyClipTraining:
    """``Trainer``. What an iteration sees depends on the seed and its number alone.

    Args:
        config: Settings.
        moments: Bodies to learn from.
        shards: Pictures to learn from.
        tokenizer: Knows the words.
        lessons: What a teacher says of many sentences.
        device: Where networks learn.
    """

    def __init__(
        self,
        config: TrainingConfig,
        moments: MomentSampler,
        shards: Shards,
        tokenizer: Tokenizer,
        lessons: Lessons | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.moments, self.shards = config, moments, shards
        self.tokenizer, self.lessons = tokenizer, lessons
        self.claims = Claims(all_labels(moments.library.labels))
        self.device = torch.device(device)
        self._bf16 = config.bf16 and has_bfloat16(self.device)
        self.timer = PhaseTimer(self.device)
        book, said = phrasebook().entries, self.claims.sentences()
        # What a motion is called is learnt from it, and how it moves; a description of a pose would take that away.
        self._book = [(name, description) for name, description in book.items() if name not in said]
        generator = Streams(config.seed)("weights")
        self.networks = nn.ModuleDict({
            "towers": Towers(config.towers, len(tokenizer), tokenizer.buckets, generator),
            "claims": ClaimTower(len(self.claims), config.towers.dimension, generator),
        })  # fmt: skip
        if lessons is not None:
            rows, columns = lessons.rows(said), torch.tensor(list(said.values()))
            self._known, self._columns = lessons.features[rows].float().to(self.device), columns.to(self.device)
            self._said = torch.full((len(lessons.texts),), -1).scatter(0, rows, columns).to(self.device)
            self._explained = torch.tensor([text in book for text in lessons.texts]).to(self.device) & (self._said < 0)
            width = lessons.features.shape[1]
            self.networks["pupil"] = nn.Linear(config.towers.text_width, width, bias=False)
            nn.init.normal_(self.networks["pupil"].weight, std=0.05, generator=generator)  # type: ignore[arg-type]
        self.networks.to(self.device)
        parameters = list(self.networks.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        self._clock = _Clock()
        self._settled = False

    @property
    def towers(self) -> Towers:
        """What is trained."""
        towers = self.networks["towers"]
        assert isinstance(towers, Towers)
        return towers

    @property
    def _claim_tower(self) -> ClaimTower:
        tower = self.networks["claims"]
        assert isinstance(tower, ClaimTower)
        return tower

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Everything with a state."""
        return {
            "networks": self.networks,
            "optimizer": OptimizerState(self.optimizer, self.networks),
            "clock": self._clock,
        }

    @torch.no_grad()
    def begin_with(self, model: BodyClip) -> None:
        """Take over the weights of a model, and put claims where it puts the sentences that make them.

        If sentences are not trained any more, claims stay there and the shift of its sentences is kept; else the shift
        comes anew when training is over. Its batch normalisation stays as it is.

        Raises:
            RuntimeError: If its towers have other sizes.
        """
        self.towers.load_state_dict(model.towers.state_dict())
        self._settled = True
        self.towers.text.shift.zero_()
        said = self.claims.sentences()
        columns = torch.tensor(list(said.values()), device=self.device)
        features = self._encode(self.towers.text, list(said))
        sums = torch.zeros_like(self._claim_tower.directions).index_add(0, columns, features)
        directions = normalize(sums, dim=-1)
        named = sums.any(1, keepdim=True)  # nobody speaks of things, which keep their first directions
        self._claim_tower.directions.copy_(torch.where(named, directions, self._claim_tower.directions))
        if not self.config.sentence_iterations:
            self.towers.text.shift.copy_(model.towers.text.shift)
            self._claim_tower.requires_grad_(False)

    def iterate(self) -> tuple[int, dict[str, float]]:
        """One gradient step; samples are moments."""
        config, number = self.config, self._clock.iteration
        stage, step = config.stage(number)
        generator = Streams(config.seed)(f"batch {number}")
        self.networks.train()
        if stage == "pictures":
            # All pictures of a batch are of one camera. A tower that saw them through their own mean would see too
            # little of any other camera's through the mean of all.
            self.towers.picture.train(not self._settled and step < _SETTLED * config.picture_iterations)
            with self.timer("pictures"):
                count, metrics = config.batch, self._step(*self._show(generator))
        else:
            with self.timer("captions"):
                count = config.state_batch if stage == "states" else config.batch
                batch = random_batch(self.moments, self.claims, count, generator)
            with self.timer(stage):
                metrics = self._step(*(self._claim if stage == "states" else self._tell)(batch, generator))
        self._clock.iteration += 1
        return count, metrics

    def _rate(self) -> float:
        """The learning rate of the iteration at hand."""
        stage, step = self.config.stage(self._clock.iteration)
        rise = (step + 1) / (self.config.warm_up + 1)
        fall = 0.5 + 0.5 * math.cos(math.pi * min(step / self.config.stages[stage], 1.0))
        return self.config.learning_rate * min(rise, 1.0) * fall

    def _step(self, losses: dict[str, Tensor], metrics: dict[str, Tensor]) -> dict[str, float]:
        rate = self._rate()
        loss = torch.stack(list(losses.values())).sum()
        check_finite("loss", losses)
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        metrics |= {f"loss/{name}": value for name, value in losses.items()}
        metrics |= {"loss": loss, "gradient": norm, "scale": self.towers.scale}
        return {name: float(value.detach()) for name, value in metrics.items()} | {"learning_rate": rate}

    def _claim(self, batch: Batch, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of states and claims, and what else is worth knowing."""
        told, false = self._told(batch)
        with self._multiplying():
            state = self._look(batch.states, batch.interval, generator)
            slow = self._look(slowed(batch.states[batch.moves], generator), batch.interval, generator)
        losses, metrics = self._contrast(batch, state, told, false, self.towers.scale)
        if len(slow):
            moving, told = state[batch.moves], told[batch.moves]
            admitted = batch.admitted.to(self.device)[batch.moves][:, batch.moves].T
            rivals = contrastive_loss(told, moving, slow, _RIVALS, admitted, torch.zeros_like(admitted))
            losses["slow"] = self.config.pair_weight * pair_loss(told, moving, slow, _MOVING)
            losses["rivals"] = self.config.pair_weight * rivals
            metrics["moving_body_wins"] = ((told * (moving - slow)).sum(-1) > 0).float().mean()
        return losses, metrics

    def _tell(self, batch: Batch, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of sentences, whose teachers are claims and states, and what else is worth knowing."""
        config, scale, n = self.config, self.towers.scale.detach(), len(batch.texts)
        chosen = torch.randperm(len(self._book), generator=generator)[: config.synonyms].tolist()
        names, descriptions = zip(*(self._book[number] for number in chosen), strict=True)
        features = self._encode(self.towers.text, [*batch.texts, *batch.negatives, *names, *descriptions])
        told, false, plain, limbs = features.split((n, n, len(names), len(names)))
        same = torch.tensor([[a == b for b in descriptions] for a in descriptions], device=self.device)
        with torch.no_grad(), self._multiplying():
            state = self._look(batch.states, batch.interval, generator)
            claimed = torch.cat(self._told(batch))
        losses, metrics = self._contrast(batch, state, told, false, scale)
        losses["follow"] = config.follow_weight * cosine_loss(features[: 2 * n], claimed)
        losses["names"] = config.follow_weight * cosine_loss(plain, limbs.detach())
        losses["synonyms"] = config.synonym_weight * synonym_loss(plain, limbs, scale, same)
        if self.lessons is not None:
            rows, texts, target = self.lessons.sample(config.lessons, generator)
            meaning = self._encode(self.towers.text.meaning, texts)
            answer, target = self.networks["pupil"](meaning.float()), target.to(self.device)
            rows, shown = rows.to(self.device), self.towers.text.shown(meaning)
            # What the phrasebook explains is no matter of likeness.
            meant = torch.where(self._explained[rows, None], shown.detach(), self._meant(rows, target))
            losses["lessons"] = config.lesson_weight * cosine_loss(answer, target)
            losses["meant"] = config.lesson_weight * cosine_loss(shown, meant)
        return losses, metrics | {"cosine": (features[: 2 * n] * claimed).sum(-1).mean()}

    @torch.no_grad()
    def _meant(self, rows: Int[Tensor, "n"], features: Float[Tensor, "n k"]) -> Float[Tensor, "n d"]:
        """Where lessons belong: what can be said alone to its claim, the rest where the teacher finds them alike."""
        own, tower = self._said[rows], self._claim_tower
        guess = meaning_of(features, self._known, tower.alone(self._columns), self.nothing)
        return torch.where((own >= 0)[:, None], tower.alone(own.clamp_min(0)), guess)

    @cached_property
    @torch.no_grad()
    def nothing(self) -> Float[Tensor, "d"]:
        """The direction in which states and claims differ least: what is there says nothing of any body."""
        states, _ = self._examples("nothing", 1)
        claims = self._claim_tower(torch.eye(len(self.claims), device=self.device))
        return torch.linalg.eigh(states.T @ states / len(states) + claims.T @ claims / len(claims)).eigenvectors[:, 0]

    @torch.no_grad()
    def shift(self) -> Float[Tensor, "d"]:
        """What added to sentences makes their mean cosine with states zero, and favours no state before another.

        Training parts all states from all sentences along one direction, since only differences count there.
        """
        states, texts = self._examples("shift", 4)
        told = self._encode(self.towers.text, texts).mean(0)
        return -(states @ told).mean() * common_direction(states)

    def _examples(self, purpose: str, batches: int) -> tuple[Float[Tensor, "n d"], list[str]]:
        """Features of states, and sentences, the same for one seed and purpose."""
        config, generator = self.config, Streams(self.config.seed)(purpose)
        drawn = [random_batch(self.moments, self.claims, config.state_batch, generator) for _ in range(batches)]
        states = torch.cat([self.towers.state(batch.states.to(self.device), batch.interval) for batch in drawn])
        return states, [text for batch in drawn for text in batch.texts]

    def _show(self, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of pictures, whose teacher is the state tower, and what else is worth knowing.

        Every picture is looked at once, and learnt from alone and as the end of a history.
        """
        shard = self.shards[int(torch.randint(len(self.shards), (), generator=generator))]
        frames = shard.pictures.shape[1]
        rows = torch.randperm(len(shard.clip), generator=generator)[: max(self.config.batch // frames, 2)]
        states, pictures = shard.states(rows).to(self.device), shard.pictures[rows]
        with self._multiplying():
            planes = planes_of(pictures.to(self.device), torch.bfloat16 if self._bf16 else torch.float32)
            moments = self.towers.picture.look(planes)
            alone = BodyState.cat([states[:, moment] for moment in range(frames)])[:, None]
            pairs = [(moments.transpose(0, 1).flatten(0, 1)[:, None], alone)]
            if frames > 1:
                first = int(torch.randint(frames - 1, (), generator=generator))
                pairs.append((moments[:, first:], states[:, first:]))
            seen = [self.towers.picture.fusion(moments, shard.interval) for moments, _ in pairs]
            with torch.no_grad():
                targets = [self.towers.state(states, shard.interval) for _, states in pairs]
        alike = [target @ target.T > _ALIKE for target in targets]
        scale = self.towers.scale.detach()
        contrasts = [synonym_loss(s, t, scale, a) for s, t, a in zip(seen, targets, alike, strict=True)]
        apart = [cosine_loss(s, t) for s, t in zip(seen, targets, strict=True)]  # there are more single pictures
        return {
            "follow": self.config.follow_weight * torch.stack(apart).mean(),
            "pictures": torch.stack(contrasts).mean(),
        }, {
            "cosine": (torch.cat(seen) * torch.cat(targets)).sum(-1).mean(),
            "states_found": share_found(seen[0], targets[0], alike[0]),
        }

    def _look(self, states: BodyState, interval: float, generator: torch.Generator) -> Float[Tensor, "n d"]:
        """What the state tower makes of bodies as they are seen in training, never quite still."""
        features: Tensor = self.towers.state(unsteady(states, generator).to(self.device), interval)
        return features

    def _told(self, batch: Batch) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """Features of what the true and the false sentences claim."""
        tower = self._claim_tower
        return tower(batch.claims.to(self.device)), tower(batch.false_claims.to(self.device))

    def _contrast(
        self,
        batch: Batch,
        state: Float[Tensor, "n d"],
        told: Float[Tensor, "n d"],
        false: Float[Tensor, "n d"],
        scale: Float[Tensor, ""],
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of states beside true and false sentences, and how often they are told apart."""
        admitted, admitted_false = batch.admitted.to(self.device), batch.admitted_negative.to(self.device)
        losses = {
            "states": contrastive_loss(state, told, false, scale, admitted, admitted_false),
            "pairs": self.config.pair_weight * pair_loss(state, told, false, scale),
        }
        return losses, {
            "sentences_found": share_found(state, told, admitted),
            "true_sentence_wins": ((state * (told - false)).sum(-1) > 0).float().mean(),
        }

    def _encode(self, tower: Callable[[Tokens], Tensor], texts: Sequence[str]) -> Float[Tensor, "n d"]:
        with self._multiplying():
            return encode_in_groups(tower, self.tokenizer, texts, self.device)

    def _multiplying(self) -> torch.autocast:
        """Networks may multiply in bfloat16; losses must not, for a cosine is multiplied by up to a hundred."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16)
