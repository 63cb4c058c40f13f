"""What can be wrong with learning a skill."""

from anyskill.errors import AnyskillError


class SkillError(AnyskillError):
    """A skill cannot be learnt as asked; the message names the setting, the sentence or the part at fault."""
