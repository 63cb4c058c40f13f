"""The worlds of adversarial imitation: starts, falls, and latents that change."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.observation import (
    adversarial_frame,
    frame_size,
    policy_blocks,
    policy_observation,
    policy_size,
)
from anyskill.body.state import BodyState
from anyskill.controller.falling import FallRule, fall_bank
from anyskill.controller.feet import sliding
from anyskill.controller.similarity import Similarity
from anyskill.controller.windows import Windows, time_to_hold
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine

WINDOW = 10  # frames a discriminator sees, newest first
ENCODED = 60  # frames an encoder sees
DROP = 0.3  # m; see ``WorldConfig.excuse_ground``
SLACK = 15  # frames by which a body may be late or early; a step takes about as many
_SAVED = (
    "window",
    "age",
    "recovering",
    "until_switch",
    "held",
    "grounded",
    "lowest",
    "in_clip",
    "action",
    "change",
    "began",
    "slack",
    "stay",
)


@dataclass(frozen=True)
class WorldConfig:
    """How episodes begin and end; the defaults are those of CALM."""

    episode: int = 300
    """Control steps until time is up."""
    reference_start: float = 0.5
    """Chance to start in a clip rather than in the initial pose (hybrid initialisation)."""
    matched_start: float = 0.0
    """Chance that who starts in a clip does so at the beginning of its latent's own window."""
    fall_start: float = 0.1
    """Chance to start lying on the ground."""
    recovery: float = 0.2
    """Chance that a body which fell is left where it is to get up."""
    recovery_steps: int = 60
    """Control steps for which a body on the ground is not counted as fallen."""
    excuse_ground: bool = False
    """Whether lying, kneeling or sitting is no fall while the latent's own window goes to the ground; to have the head
    ``DROP`` lower than the window ever has is one all the same."""
    latent_steps: tuple[int, ...] = (10, 150)
    """A latent is held for a random number of control steps from this range."""
    moving: float = 0.0
    """Chance that a latent moves along: every now and then it becomes that of the window which begins by now."""
    stay: tuple[int, ...] = (3, 8)
    """Control steps until such a latent moves on, a random number from this range."""
    fall: FallRule = field(default_factory=FallRule)
    """What counts as fallen."""


class ImitationWorld:
    """Many worlds stepped by actions within ±1; ``window`` is what a discriminator sees of each.

    Args:
        engine: Physics.
        library: Motions to start in, and that latents come from.
        generator: Of everything random here, on the library's device.
        config: Settings.
        follows: Whether somebody asks for ``tracking``; finding windows costs time.
    """

    def __init__(
        self,
        engine: Engine,
        library: MotionLibrary,
        generator: torch.Generator,
        config: WorldConfig | None = None,
        *,
        follows: bool = True,
    ) -> None:
        self.engine, self.library, self.generator = engine, library, generator
        self.config = config or WorldConfig()
        skeleton, n, device = engine.skeleton, engine.num_worlds, engine.device
        self.num_actions = skeleton.num_dof
        self.observation_size, self.frame_size = policy_size(skeleton), frame_size(skeleton)
        self._offset = skeleton.action_offset.float().to(device)
        self._scale = skeleton.action_scale.float().to(device)
        self._fallen = fall_bank(engine, generator)
        self.window = torch.zeros(n, WINDOW, self.frame_size, device=device)
        self.age = torch.zeros(n, dtype=torch.long, device=device)
        self.recovering = torch.zeros_like(self.age)  # steps left in which lying down is no fall
        self.until_switch = torch.zeros_like(self.age)  # steps left for the latent
        self.held = torch.zeros_like(self.age)  # steps since it came
        self.began = torch.zeros_like(self.age)  # the frame that was most like the body then
        self.slack = torch.zeros_like(self.age)  # frames by which the body is ahead of its latent's window
        self.stay = torch.full_like(self.age, -1)  # steps until the latent moves on; below 0 for never
        self.in_clip = torch.zeros(n, dtype=torch.bool, device=device)  # whose episode began in a clip
        self.action = torch.zeros(n, self.num_actions, device=device)  # the last one
        self.change = torch.zeros_like(self.action)  # of the action, from the step before
        self.grounded = torch.zeros(n, dtype=torch.bool, device=device)  # whose latent goes to the ground
        self.lowest = torch.zeros(n, device=device)  # height of the head (m) in the latent's window where it is lowest
        self._follows = follows
        self._head = skeleton.index("head")
        if self.config.excuse_ground:
            states = library.states(*library.places())
            self._on_ground = self.config.fall.low(states, skeleton)
            self._heads = states.positions[:, self._head, 2].clone()  # a view would keep all positions
        self._blocks = policy_blocks(skeleton)
        positions, _ = skeleton.forward(*skeleton.pose(skeleton.initial_qpos))
        self._half_height = 0.5 * float(positions[self._head, 2])
        self.latents: dict[str, Tensor] = {}  # what each world's latent is, and where it came from
        everyone = torch.ones(n, dtype=torch.bool, device=device)
        self.reset(everyone, ~everyone)

    def observe(self) -> Float[Tensor, "world observation"]:
        """What the policy sees."""
        return policy_observation(self.engine.state())

    def step(self, action: Float[Tensor, "world dof"]) -> tuple[Bool[Tensor, "world"], Bool[Tensor, "world"]]:
        """One control step: which worlds have fallen, and which have run out of time. Neither is reset yet."""
        self.change, self.action = torch.where(self.age[:, None] == 0, 0.0, action - self.action), action
        lost = self.engine.step(self._offset + self._scale * action.clamp(-1.0, 1.0))
        state = self.engine.state()
        frame = adversarial_frame(state, self.engine.skeleton)
        self.window = torch.cat((frame[:, None], self.window[:, :-1]), 1)
        self.age += 1
        self.recovering = (self.recovering - 1).clamp_min(0)
        self.until_switch -= 1
        self.held += 1
        self.stay -= 1
        excused = (self.recovering > 0) | (self.age <= 1) | self.grounded & ~self._has_collapsed(state)
        fallen = self.config.fall(state, self.engine.skeleton) & ~excused | lost
        late = (self.age >= self.config.episode) & (self.recovering == 0) & ~fallen
        return fallen, late

    def up(self) -> Float[Tensor, "world"]:
        """1 with the head above half of its height in the initial pose, less in proportion below, 0 on the ground.

        Whoever's latent goes to the ground is up wherever it is.
        """
        height = self.engine.state().positions[:, self._head, 2]
        return torch.where(self.grounded, 1.0, (height / self._half_height).clamp(0.0, 1.0))

    def sliding(self) -> Float[Tensor, "world"]:
        """See ``feet.sliding``."""
        return sliding(self.engine.state(), self.engine.skeleton)

    def roughness(self) -> Float[Tensor, "world"]:
        """Mean square by which the action has changed from the step before."""
        return self.change.square().mean(1)

    def tracking(self) -> Float[Tensor, "world"]:
        """How alike the body is, from 0 to 1, to what its latent's window shows by now, entered when the latent came.

        The policy knows the window, but not the time: it may be ``SLACK`` frames late or early, and come to be so by
        one frame a step. If it could at any moment be as late as it liked, half a wave held for ever would pass for a
        wave.
        """
        seen, similarity = self.observe(), Similarity()
        slacks = torch.stack([(self.slack + change).clamp(-SLACK, SLACK) for change in (0, -1, 1)])
        likeness = torch.stack([similarity(seen - self._shown(slack), self._blocks) for slack in slacks])
        best, chosen = likeness.max(0)
        self.slack = slacks.gather(0, chosen[None])[0]
        return best

    @cached_property
    def _windows(self) -> Windows:
        return Windows(self.library, ENCODED)

    def _shown(self, slack: Int[Tensor, "world"] | int) -> Float[Tensor, "world observation"]:
        """What a body would observe that is as its latent's window has it by now, or some frames later."""
        clip, last = self.latents["clip"], self.latents["end"]
        return self._windows.observations(clip, last, self.began + self.held + slack)

    def reset(self, ended: Bool[Tensor, "world"], fallen: Bool[Tensor, "world"]) -> None:
        """Begin new episodes where the old ones ended: getting up, lying, in a clip, or in the initial pose."""
        config = self.config
        self.age = torch.where(ended, 0, self.age)
        recover = ended & fallen & self._chance(config.recovery)
        worlds = (ended & ~recover).nonzero()[:, 0]
        n = len(worlds)
        # Everyone who is moved gets a reference state first; those who start otherwise are overwritten.
        clip, frame = self.library.sample(n, self.generator)
        qpos, qvel = self.library.generalized(clip, frame)
        lying = self._chance(config.fall_start)[worlds]
        upright = ~lying & ~self._chance(config.reference_start)[worlds]
        bank = torch.randint(len(self._fallen[0]), (n,), generator=self.generator, device=self.engine.device)
        qpos = torch.where(lying[:, None], self._fallen[0][bank], qpos)
        qpos = torch.where(upright[:, None], self.engine.skeleton.initial_qpos.to(qpos), qpos)
        qvel = torch.where((lying | upright)[:, None], 0.0, qvel)
        self.engine.reset(worlds, qpos, qvel)
        frames = adversarial_frame(self.engine.state()[worlds], self.engine.skeleton)
        past = self.library.windows(clip, frame, WINDOW)
        past = torch.where((lying | upright)[:, None, None], frames[:, None], past)
        self.window[worlds] = torch.cat((frames[:, None], past[:, 1:]), 1)
        self.in_clip[worlds] = ~(lying | upright)
        self.recovering[worlds] = torch.where(lying, config.recovery_steps, 0)
        self.recovering = torch.where(recover, config.recovery_steps, self.recovering)
        self.until_switch = torch.where(ended, 0, self.until_switch)
        self.grounded &= ~ended

    def due(self) -> Int[Tensor, "n"]:
        """Worlds that need a new latent now; each is given a random time to keep it."""
        worlds = (self.until_switch <= 0).nonzero()[:, 0]
        self.until_switch[worlds] = time_to_hold(self.config.latent_steps, len(worlds), self.generator)
        return worlds

    def assign(self, worlds: Int[Tensor, "n"], latents: dict[str, Tensor]) -> None:
        """Give some worlds their latents; a body that was to be on the ground is given time to get up."""
        self._remember(worlds, latents)
        moves = self._chance(self.config.moving)[worlds]
        self.stay[worlds] = torch.where(moves, time_to_hold(self.config.stay, len(worlds), self.generator), -1)
        self.held[worlds] = 0
        self.slack[worlds] = 0
        if self.config.matched_start > 0:
            self._begin_in_own_windows(worlds)
        if self._follows and "clip" in latents:
            now = policy_observation(self.engine.state()[worlds])
            self.began[worlds] = self._windows.entry(latents["clip"], latents["end"], now)

    def onward(self) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"]]:
        """Worlds whose latents move on now, and the windows that begin where theirs are: clips and last frames."""
        worlds = (self.stay == 0).nonzero()[:, 0]
        clip, last = self.latents["clip"][worlds], self.latents["end"][worlds]
        ahead = (self.held + self.slack)[worlds]
        frame, _ = self._windows.shown(clip, last, self.began[worlds] + ahead)
        self.began[worlds] = frame - ahead
        return worlds, clip, self._windows.last(clip, self._windows.onward(clip, frame))

    def move_on(self, worlds: Int[Tensor, "n"], latents: dict[str, Tensor]) -> None:
        """Give some worlds the latents of the windows that they have come to; nobody has to find into those."""
        self._remember(worlds, latents)
        self.stay[worlds] = time_to_hold(self.config.stay, len(worlds), self.generator)

    def _remember(self, worlds: Int[Tensor, "n"], latents: dict[str, Tensor]) -> None:
        if self.config.excuse_ground and "clip" in latents:
            past = torch.arange(ENCODED, device=worlds.device)
            rows = self.library.rows(latents["clip"][:, None], latents["end"][:, None] - past)
            grounded = self._on_ground[rows].any(1)
            rising = self.grounded[worlds] & ~grounded
            self.grounded[worlds], self.lowest[worlds] = grounded, self._heads[rows].amin(1)
            rising |= self._has_collapsed(self.engine.state())[worlds] & grounded
            self.recovering[worlds] = torch.where(rising, self.config.recovery_steps, self.recovering[worlds])
        for name, values in latents.items():
            if name not in self.latents:
                shape = (self.engine.num_worlds, *values.shape[1:])
                self.latents[name] = torch.zeros(shape, dtype=values.dtype, device=values.device)
            self.latents[name][worlds] = values

    def _begin_in_own_windows(self, worlds: Int[Tensor, "n"]) -> None:
        """Move some of those whose episode begins in a clip to where their latent's window begins."""
        matched = (self.age == 0) & self.in_clip & self._chance(self.config.matched_start)
        worlds = worlds[matched[worlds]]
        clip = self.latents["clip"][worlds]
        first = self.library.window_start(clip, self.latents["end"][worlds], ENCODED)
        self.engine.reset(worlds, *self.library.generalized(clip, first))
        self.window[worlds] = self.library.windows(clip, first, WINDOW)

    def _has_collapsed(self, state: BodyState) -> Bool[Tensor, "world"]:
        """Whose head is far lower than it ever is in its latent's window: who knelt, and lies now."""
        return state.positions[:, self._head, 2] < self.lowest - DROP

    def _chance(self, probability: float) -> Bool[Tensor, "world"]:
        n, device = self.engine.num_worlds, self.engine.device
        return torch.rand(n, generator=self.generator, device=device) < probability

    def state_dict(self) -> dict[str, Any]:
        """All that the worlds' future depends on, beside the generator."""
        return {name: getattr(self, name) for name in _SAVED} | {
            "fallen_qpos": self._fallen[0],
            "latents": self.latents,
            "engine": self.engine.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name in _SAVED:
            getattr(self, name).copy_(state[name])
        self._fallen[0].copy_(state["fallen_qpos"])
        self.latents = {name: values.to(self.engine.device) for name, values in state["latents"].items()}
        self.engine.load_state_dict(state["engine"])
