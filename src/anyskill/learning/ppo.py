"""Proximal policy optimisation (Schulman et al. 2017) as AMP, ASE, CALM and AnySkill use it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from anyskill.learning import distributed, losses
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.config import require
from anyskill.learning.guard import check_finite
from anyskill.learning.optimizer import OptimizerState
from anyskill.learning.rollout import Batch, minibatches

Evaluate = Callable[[Batch], tuple[Tensor, Tensor]]
"""Mean action and normalised value of a minibatch, with gradient; may add entries for the extra losses to use."""
ExtraLosses = Callable[[Batch], dict[str, Tensor]]
"""Further weighted terms of the total loss, by name; one without gradient is only reported, under its own name."""


@dataclass(frozen=True)
class PPOConfig:
    """The defaults are the values all ancestors share; minibatches are those of AMP, ASE and CALM.

    The entropy bonus and value clipping, both off in all of them, do not exist here.
    """

    learning_rate: float = 2e-5
    """Of Adam; the starting point where ``kl_target`` steers it."""
    value_learning_rate: float | None = None
    """Of the value, and of all else that actions do not depend on; None: the same."""
    discount: float = 0.99
    """γ, per step of the policy."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    clip: float = 0.2
    """How far the ratio of probabilities may leave 1 before the gradient stops."""
    epochs: int = 6
    """Passes over the samples of one iteration."""
    minibatch_size: int = 16384
    """Samples of one gradient step (of each process); AnySkill's controller uses 4096, its tasks 2048."""
    value_weight: float = 5.0
    """Of the squared error of normalised values."""
    bound_weight: float = 10.0
    """Of the penalty on mean actions beyond ±1."""
    kl_target: float | None = None
    """KL divergence from the policy that acted, to which the learning rate is steered; None keeps the rate constant."""
    warm_up: int = 0
    """First updates that leave the policy as it is: for one that is good already, beside a value that is not."""
    max_grad_norm: float | None = None
    """Gradients longer than this are scaled down to it, the policy's and all others apart; None leaves them alone."""

    def __post_init__(self) -> None:
        for name in ("learning_rate", "clip"):
            require(self, name, 0 < getattr(self, name) < 1, "between 0 and 1")
        for name in ("discount", "gae_lambda"):
            require(self, name, 0 <= getattr(self, name) <= 1, "from 0 to 1")
        for name in ("epochs", "minibatch_size"):
            require(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("value_weight", "bound_weight", "warm_up"):
            require(self, name, getattr(self, name) >= 0, "at least 0")
        for name in ("kl_target", "max_grad_norm"):
            require(self, name, getattr(self, name) is None or getattr(self, name) > 0, "positive, or none")


class PPO:
    """Updates an ``ActorCritic``, and what is trained along with it, from batches of samples.

    Args:
        config: Settings.
        model: Policy, value and their normalisers.
        generator: Orders the samples.
        others: Further modules under the same optimiser, by name: discriminators, encoders.
        acting: Names of those among them that actions depend on. Their rate and the policy's are steered where
            ``kl_target`` asks for it; the value's and all others' stay.
        evaluate: How mean action and value follow from a minibatch. By default of its ``observation`` alone, or of
            ``observation`` and ``latent``.
    """

    RATE_LIMITS = (1e-6, 1e-2)  # of a steered learning rate
    RATE_STEP = 1.5

    def __init__(
        self,
        config: PPOConfig,
        model: ActorCritic,
        generator: torch.Generator,
        *,
        others: Mapping[str, nn.Module] | None = None,
        acting: Sequence[str] = (),
        evaluate: Evaluate | None = None,
    ) -> None:
        self.config, self.model, self.generator = config, model, generator
        self.evaluate = evaluate or self._evaluate
        modules = nn.ModuleDict({"policy_and_value": model, **(others or {})})
        distributed.broadcast(modules)
        self._parameters = dict(modules.named_parameters())
        steered = ("policy_and_value.policy.", *(f"{name}." for name in acting))
        groups = [
            {"params": [p for name, p in self._parameters.items() if name.startswith(steered) == acts], "lr": rate}
            for acts, rate in (
                (True, config.learning_rate),
                (False, config.value_learning_rate or config.learning_rate),
            )
        ]
        self.optimizer = torch.optim.Adam(groups, lr=config.learning_rate, eps=1e-8, fused=True)
        self._moments = OptimizerState(self.optimizer, modules)
        self._updates = 0

    @property
    def learning_rate(self) -> float:
        """The rate of the policy's next step."""
        return self.optimizer.param_groups[0]["lr"]

    def update(self, batch: Batch, extra_losses: ExtraLosses | None = None) -> dict[str, float]:
        """One iteration's gradient steps.

        Args:
            batch: From ``Rollout.finish``: ``observation``, ``action``, ``mean``, ``log_probability``,
                ``stochastic``, ``advantage``, ``return``, and what ``evaluate`` and ``extra_losses`` need.
            extra_losses: Called with every minibatch, which by then has ``new_mean`` and ``new_value``.

        Returns:
            Means over all gradient steps: ``loss/…`` of every term, and ``ppo/…``: the KL divergence from the policy
            that acted, the share of clipped samples, the gradient's norm, the share of the returns' variance that
            the values explain, and the learning rate.

        Raises:
            LearningError: A tensor of the batch, a loss, a gradient or a parameter is not finite; it is named.
        """
        check_finite("rollout", batch)
        check_finite("parameter", self._parameters)
        # Values are learnt in the new units at once; observations change theirs only after the last step, so that
        # the policy that is improved is the one that acted.
        self.model.returns.update(batch["return"])
        unexplained = batch["advantage"].var() / batch["return"].var().clamp_min(1e-12)
        batch = batch | {
            "advantage": losses.standardized(batch["advantage"], batch["stochastic"]),
            "return": self.model.returns(batch["return"]),
        }
        steps = [
            self._step(minibatch, extra_losses)
            for _ in range(self.config.epochs)
            for minibatch in minibatches(batch, self.config.minibatch_size, self.generator)
        ]
        self.model.observations.update(batch["observation"])
        self._updates += 1
        means = torch.stack([torch.stack(list(step.values())) for step in steps]).mean(0)
        report = dict(zip(steps[0], means, strict=True)) | {"ppo/explained_variance": 1.0 - unexplained}
        numbers = distributed.average(torch.stack(list(report.values()))).tolist()
        return dict(zip(report, numbers, strict=True)) | {"ppo/learning_rate": self.learning_rate}

    def _step(self, minibatch: Batch, extra_losses: ExtraLosses | None) -> dict[str, Tensor]:
        """One gradient step; returns what is worth reporting."""
        config, policy, drawn = self.config, self.model.policy, minibatch["stochastic"]
        mean, value = self.evaluate(minibatch)
        minibatch |= {"new_mean": mean, "new_value": value}
        log_ratio = policy.log_probability(mean, minibatch["action"]) - minibatch["log_probability"]
        surrogate = losses.clipped_surrogate(log_ratio, minibatch["advantage"], config.clip)
        terms = {
            "policy": losses.masked_mean(surrogate, drawn),
            "value": config.value_weight * (value - minibatch["return"]).square().mean(),
            "bound": config.bound_weight * losses.masked_mean(losses.out_of_bounds(mean), drawn),
        }
        if extra_losses is not None:
            terms |= extra_losses(minibatch)
        check_finite("loss", terms)
        self.optimizer.zero_grad()
        torch.stack([term for term in terms.values() if term.requires_grad]).sum().backward()
        norm = self._clean_gradients()
        if self._updates < config.warm_up:
            for parameter in self.optimizer.param_groups[0]["params"]:
                parameter.grad = None
        self.optimizer.step()
        with torch.no_grad():
            kl = losses.masked_mean(policy.kl(mean, minibatch["mean"]), drawn)
            clip_fraction = losses.masked_mean((log_ratio.exp() - 1).abs().gt(config.clip).float(), drawn)
        self._steer(kl)
        report = {f"loss/{name}" if term.requires_grad else name: term.detach() for name, term in terms.items()}
        return report | {"ppo/kl": kl, "ppo/clip_fraction": clip_fraction, "ppo/grad_norm": norm}

    def _clean_gradients(self) -> Tensor:
        """Share gradients among ranks, check and clip them; returns their norm before clipping."""
        distributed.average_gradients(self._parameters.values())
        groups = [group["params"] for group in self.optimizer.param_groups]
        norms = [nn.utils.get_total_norm(p.grad for p in group if p.grad is not None) for group in groups]
        norm = torch.stack(norms).norm()
        if not norm.isfinite():
            check_finite("gradient of", {name: p.grad for name, p in self._parameters.items() if p.grad is not None})
        if self.config.max_grad_norm is not None:
            # Apart, or a discriminator with its large gradients would decide how far the policy goes.
            for group, own in zip(groups, norms, strict=True):
                nn.utils.clip_grads_with_norm_(group, self.config.max_grad_norm, own)
        return norm

    def _steer(self, kl: Tensor) -> None:
        """Lower the learning rate where the policy moves too fast, raise it where too slowly."""
        target = self.config.kl_target
        if target is None or self._updates < self.config.warm_up:
            return
        moved, rate = float(distributed.average(kl)), self.learning_rate
        if moved > 2 * target:
            rate /= self.RATE_STEP
        elif moved < target / 2:
            rate *= self.RATE_STEP
        low, high = self.RATE_LIMITS
        self.optimizer.param_groups[0]["lr"] = min(max(rate, low), high)

    def _evaluate(self, minibatch: Batch) -> tuple[Tensor, Tensor]:
        inputs = [minibatch[name] for name in ("observation", "latent") if name in minibatch]
        return self.model(*inputs)

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's moments by parameter, the learning rate and the age; networks are saved as modules."""
        moments = self._moments.state_dict()
        return {"learning_rate": self.learning_rate, "updates": self._updates, "moments": moments}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly from a state.

        Raises:
            KeyError: The state knows a parameter that does not exist here.
        """
        self.optimizer.param_groups[0]["lr"] = state["learning_rate"]
        self._updates = state["updates"]
        self._moments.load_state_dict(state["moments"])
