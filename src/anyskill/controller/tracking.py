"""The tracking task: follow a clip frame by frame. Its policy is the teacher of the latent-conditioned controller.

Each world follows a window of a clip and what comes after it (``windows``) for a random time, and then goes over to
another window from wherever the body is: what a controller does under latents that are held and switched, practised
with a reference in sight. Half of the windows move along with their clips meanwhile, as latents do that play a clip.

The reference is compared free of heading and horizontal position, all in terms of the policy's observation, so that a
body which has drifted or turned is not dragged back but goes on with the movement from where it is.

A mirrored clip is followed in the mirror: the policy sees the image of the body and of the clip, and its action is
mirrored back. What it learns on one side it can do on the other.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.mirror import Mirror, dof_mirror, policy_mirror, position_mirror
from anyskill.body.observation import policy_blocks, policy_observation, policy_size
from anyskill.controller.failures import FailureRates
from anyskill.controller.falling import FallRule
from anyskill.controller.feet import sliding
from anyskill.controller.lag import lag
from anyskill.controller.similarity import Similarity, furthest
from anyskill.controller.windows import Windows, time_to_hold
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine

LOOKAHEAD = (5, 15)  # further reference frames of which positions are seen
SHIFTS = (-2, -1, 0, 1, 2)  # frames by which a clock is put forward or back in one step
TURNS = 12  # frames, spread over what goes round, to which a clock may jump
LATE = 10  # frames by which a clock may be behind the time on the way to what a window shows for ever
AHEAD = 0.15  # a frame that is later may be so much less alike: one centimetre
_PLACES = ("clip", "frame", "start", "age", "left", "stay", "patience", "excused", "lag", "due")


@dataclass(frozen=True)
class TrackingConfig:
    """The tracking reward, what is followed for how long, and when an attempt has failed."""

    action_scale: float = 0.7
    """PD target = joint angles of the next reference frame + this (rad) × action."""
    similarity: Similarity = field(default_factory=Similarity)
    """The reward: of the body to the reference."""
    sliding: float = 0.3
    """Taken from the reward, times ``feet.sliding``."""
    failure_distance: float = 0.6
    """A body this far (m) from where the reference has it, relative to the root, or a root this far off in height."""
    left_behind: float = 0.75
    """A body that is this far (m) from where its reference has gone since it had time to find in has failed."""
    episode: int = 300
    """Control steps after which a world starts anew, in a clip."""
    window: int = 60
    """Frames of what is followed."""
    hold: tuple[int, ...] = (10, 150)
    """Control steps until another window, a random number from this range."""
    moving: float = 0.5
    """Chance that a window moves along: every now and then it begins anew where the clock is, while its clip lasts."""
    stay: tuple[int, ...] = (3, 8)
    """Control steps until such a window moves on, a random number from this range."""
    patience: int = 45
    """Control steps after going over in which no distance is a failure."""
    down_patience: int = 60
    """The same where the new window goes to the ground and the old one did not."""
    up_patience: int = 150
    """The same where the old window went to the ground; falling is no failure either, if the new one does not."""
    fall: FallRule = field(default_factory=FallRule)
    """A failure in windows that do not go to the ground."""


class TrackingTask:
    """Many worlds, each following its own window of a clip.

    Clips that are soon lost are chosen more often: weight × (0.25 + failure rate).
    """

    def __init__(
        self,
        engine: Engine,
        library: MotionLibrary,
        generator: torch.Generator,
        config: TrackingConfig | None = None,
    ) -> None:
        self.engine, self.library, self.generator = engine, library, generator
        self.config = config or TrackingConfig()
        skeleton, n = engine.skeleton, engine.num_worlds
        self.blocks = policy_blocks(skeleton)
        self.num_actions = skeleton.num_dof
        seen = self.blocks["positions"].stop
        self.observation_size = 2 * policy_size(skeleton) + len(LOOKAHEAD) * seen
        self.windows = Windows(library, self.config.window)
        states = library.states(*library.places())
        self._dofs = skeleton.dofs_from_rotations(skeleton.local_rotations(states.rotations))
        self._qpos, self._qvel = states.qpos(skeleton), states.qvel(skeleton)
        full, seen_mirror = policy_mirror(skeleton), position_mirror(skeleton)
        self._observation_mirror = Mirror.cat(full, full, *[seen_mirror] * len(LOOKAHEAD)).to(engine.device)
        self._dof_mirror = dof_mirror(skeleton).to(engine.device)
        self._is_mirrored = torch.tensor([name.endswith("-mirrored") for name in library.names], device=engine.device)
        on_ground = self.config.fall.low(states, skeleton)
        # Whether any frame of the window that starts at a place is.
        clip, frame = library.places()
        ahead = frame[:, None] + torch.arange(self.config.window, device=engine.device)
        self._goes_down = on_ground[library.rows(clip[:, None], ahead)].any(1)
        self.clip = torch.zeros(n, dtype=torch.long, device=engine.device)
        self.frame, self.start = torch.zeros_like(self.clip), torch.zeros_like(self.clip)
        self.due = torch.zeros_like(self.clip)  # the frame as it would be if the clock had gone by the time
        self.age = torch.zeros_like(self.clip)
        self.left = torch.zeros_like(self.clip)  # steps until another window
        self.stay = torch.zeros_like(self.clip)  # steps until the window moves on; below 0 for never
        self.patience = torch.zeros_like(self.clip)  # steps left in which no distance is a failure
        self.excused = torch.zeros_like(self.clip)  # steps left in which falling is none
        self.lag = torch.zeros(n, 2, device=engine.device)  # see ``lag``, since patience ended
        self._failed = torch.ones(n, dtype=torch.bool, device=engine.device)
        self.failures = FailureRates(library)
        self.reset(torch.ones(n, dtype=torch.bool, device=engine.device))

    @property
    def end(self) -> Int[Tensor, "world"]:
        """The window's last frame."""
        return self.windows.last(self.clip, self.start)

    @property
    def grounded(self) -> Bool[Tensor, "world"]:
        """Whose window goes to the ground."""
        return self._goes_down[self.library.rows(self.clip, self.start)]

    def reset(self, mask: Bool[Tensor, "world"]) -> None:
        """Let some worlds go on with what ``step`` has ended for them.

        Those that failed or are at the end of their episode start anew, in exactly the state of some frame of a window.
        The others stay in the state they are in, and find into another window.
        """
        config = self.config
        anew = mask & (self._failed | (self.age >= config.episode))
        over = mask & ~anew
        was_grounded = self.grounded
        self._choose(mask.nonzero()[:, 0])
        self._enter(over.nonzero()[:, 0])
        patience = torch.where(self.grounded, config.down_patience, config.patience)
        patience = torch.where(was_grounded, config.up_patience, patience)
        self.patience = torch.where(mask, torch.where(anew, 0, patience), self.patience)
        excused = torch.where(over & was_grounded, config.up_patience, self.excused)
        self.excused = excused.masked_fill(anew | self.grounded, 0)
        self.age = torch.where(anew, 0, self.age)
        self.lag = torch.where(mask[:, None], 0.0, self.lag)
        worlds = anew.nonzero()[:, 0]
        rows = self._rows(0)[worlds]
        self.engine.reset(worlds, self._qpos[rows], self._qvel[rows])

    def lay(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """Put some worlds on the ground instead, with time to get up and into their windows."""
        self.engine.reset(worlds, qpos, qvel)
        for steps in (self.left, self.patience, self.excused):
            steps[worlds] = self.config.up_patience

    def arrive(self, mask: Bool[Tensor, "world"]) -> None:
        """Let some worlds, which have got up, begin their windows; from now on falling counts again."""
        self._enter(mask.nonzero()[:, 0])
        self.patience = torch.where(mask, self.config.patience, self.patience)
        self.excused = torch.where(mask, 0, self.excused)

    def _enter(self, worlds: Int[Tensor, "n"]) -> None:
        """Set clocks of some worlds to where their bodies find into their windows best."""
        observation = policy_observation(self.engine.state()[worlds])
        self.frame[worlds] = self.windows.entry(self.clip[worlds], self.end[worlds], observation)
        self.due[worlds] = self.frame[worlds]

    def _choose(self, worlds: Int[Tensor, "n"]) -> None:
        """Give some worlds other windows, a moment in them, and a time to follow them."""
        n, draws = len(worlds), self.generator
        config = self.config
        clip, start = self.library.sample(n, draws, margin=config.window - 1, factors=0.25 + self.failure_rate)
        self.clip[worlds], self.start[worlds] = clip, start
        chance = torch.rand(n, generator=draws, device=draws.device)
        self.frame[worlds] = start + (chance * (self.end[worlds] - start)).long()
        self.due[worlds] = self.frame[worlds]
        self.left[worlds] = time_to_hold(config.hold, n, draws)
        moves = torch.rand(n, generator=draws, device=draws.device) < config.moving
        self.stay[worlds] = torch.where(moves, time_to_hold(config.stay, n, draws), -1)
        self.start[worlds] = torch.where(moves, self.windows.onward(clip, self.frame[worlds]), start)

    def _move_on(self) -> None:
        """Begin windows that move along anew where their clocks are, until their clips are nearly over.

        A latent that is held does not tell when; those of a clip in their order do, and so a policy can be told to wave
        rather than to be somewhere in a wave.
        """
        self.stay -= 1
        worlds = (self.stay == 0).nonzero()[:, 0]
        clip, grounded = self.clip[worlds], self.grounded[worlds]
        frame, _ = self.windows.shown(clip, self.end[worlds], self.frame[worlds])
        self.due[worlds] += frame - self.frame[worlds]
        self.frame[worlds] = frame
        self.start[worlds] = self.windows.onward(clip, frame)
        self.stay[worlds] = time_to_hold(self.config.stay, len(worlds), self.generator)
        rises = grounded & ~self.grounded[worlds]
        self.excused[worlds] = torch.where(rises, self.config.patience, self.excused[worlds])

    def observe(self) -> Float[Tensor, "world observation"]:
        """The body, then the next reference frame minus the body, then where its joints will be somewhat later."""
        now = policy_observation(self.engine.state())
        seen = slice(0, self.blocks["positions"].stop)
        parts = [now, self._reference(1) - now]
        parts += [(self._reference(ahead) - now)[:, seen] for ahead in LOOKAHEAD]
        return self._mirrored(torch.cat(parts, -1), self._observation_mirror)

    def targets(self, action: Float[Tensor, "world dof"]) -> Float[Tensor, "world dof"]:
        """PD targets (rad): the next reference pose, corrected by the action."""
        return self._dofs[self._rows(1)] + self.config.action_scale * self._mirrored(action, self._dof_mirror)

    def _mirrored(self, vector: Float[Tensor, "world n"], mirror: Mirror) -> Float[Tensor, "world n"]:
        """Mirrored in the worlds whose clip is."""
        return torch.where(self._is_mirrored[self.clip][:, None], mirror(vector), vector)

    def _reference(self, ahead: int) -> Float[Tensor, "world observation"]:
        """What a body in perfect step would observe some frames from now."""
        return self.windows.observations(self.clip, self.end, self.frame + ahead)

    def _rows(self, ahead: int) -> Int[Tensor, "world"]:
        """Where that frame is in the library's tables."""
        return self.windows.rows(self.clip, self.end, self.frame + ahead)[0]

    def step(
        self, targets: Float[Tensor, "world dof"]
    ) -> tuple[Float[Tensor, "world"], Bool[Tensor, "world"], Bool[Tensor, "world"]]:
        """One control step: reward, worlds that failed, worlds whose window changes. Neither is reset yet."""
        lost = self.engine.step(targets)
        self.frame += 1
        self.due += 1
        self.age += 1
        self.left -= 1
        self.patience = (self.patience - 1).clamp_min(0)
        self.excused = (self.excused - 1).clamp_min(0)
        self._move_on()
        state = self.engine.state()
        error = policy_observation(state) - self._reference(0)
        reward = self.config.similarity(error, self.blocks)
        reward -= self.config.sliding * sliding(state, self.engine.skeleton)
        distance = furthest(error[:, self.blocks["positions"]])
        far = torch.maximum(distance, error[:, 0].abs()) > self.config.failure_distance
        self.lag = torch.where((self.patience == 0)[:, None], self.lag + lag(error, self.blocks), 0.0)
        behind = self.lag.norm(dim=-1) > self.config.left_behind
        fallen = self.config.fall(state, self.engine.skeleton) & ~self.grounded & (self.excused == 0)
        failed = self._failed = far & (self.patience == 0) | behind | fallen | lost
        finished = (self.left <= 0) | (self.age >= self.config.episode)
        self.failures.note(self.clip, failed, failed | finished)
        return torch.where(failed, 0.0, reward), failed, finished & ~failed

    def synchronise(self, observation: Float[Tensor, "world observation"]) -> None:
        """Put clocks to the frame about now that is most like the body; ahead if in doubt.

        Who follows without seeing the clock, as a student does, is late or early, and may rest half way between two
        ends of a wave: on the whole, frames there lead to nowhere. The frame that is most like it leads somewhere. What
        moves slower than a centimetre a frame is passed over, and nobody is waited for longer than a third of a second
        on the way to what a window shows, or a body that rests would see no reason to begin.

        Where windows move along it is no secret what the time is, and clocks go by it.

        Once it has come to where the window goes round, or to its end, it is waited for; and of what goes round any
        frame may be the one, so that two bodies in the same state are not told to do different things.
        """
        held = (self.stay < 0).nonzero()[:, 0]
        clip, end, frame, observation = self.clip[held], self.end[held], self.frame[held], observation[held]
        again, stop = self.windows.again(clip, end), self.windows.stop(clip, end)
        loops = self.library.loops[clip]
        around = torch.where(loops, self.library.lengths[clip], stop - again + 1)
        around = torch.where(loops | (again < stop) & (frame >= again), around, 0)  # of who is there yet
        near = ((frame + ahead, AHEAD * ahead) for ahead in SHIFTS)
        clock = self.windows.most_alike(clip, end, observation, near)
        there = around.nonzero()[:, 0]
        nearest = (clock[there], AHEAD * (clock - frame)[there])
        anywhere = [((frame + turn * around // TURNS)[there], 0.0) for turn in range(1, TURNS)]
        clock[there] = self.windows.most_alike(clip[there], end[there], observation[there], [nearest, *anywhere])
        clock = torch.where(self.patience[held] > self.config.patience, frame, clock)
        at_least = torch.where(loops, clock, (self.due[held] - LATE).minimum(again))
        self.frame[held] = torch.maximum(clock, at_least)

    @property
    def failure_rate(self) -> Float[Tensor, "clip"]:
        """Chance of each clip to be lost within two seconds."""
        return self.failures.rate

    def report(self) -> dict[str, float]:
        """How well it goes: the chance to be lost within two seconds, mean over the clips."""
        return {"failure_rate": float(self.failure_rate.mean())}

    def state_dict(self) -> dict[str, Any]:
        """Where every world is, in its clip and in the simulation."""
        return {name: getattr(self, name) for name in _PLACES} | {
            "failures": self.failures.state_dict(),
            "engine": self.engine.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; with other clips, all worlds start anew and known clips keep their failure rates."""
        self.failures.load_state_dict(state["failures"])
        if tuple(state["failures"]["names"]) != self.library.names:
            self.reset(torch.ones_like(self.age, dtype=torch.bool))
            return
        for name in _PLACES:
            getattr(self, name).copy_(state[name])
        self.engine.load_state_dict(state["engine"])
