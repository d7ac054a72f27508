"""What the loss is multiplied by before its gradient is taken in float16, whose smallest numbers are not small enough.

The same rule as torch.amp.GradScaler, without skipped steps: a gradient that overflows is computed again with half the
scale. The step already adds up losses, scales gradients and looks at their norm, so this costs no further waiting for
the device, is the same in all processes (also with spread weights), and works on every kind of device.
"""

from __future__ import annotations

from dataclasses import dataclass

#: steps without overflow after which a scale twice as large is tried
PATIENCE = 2000
#: below, the gradient itself is at fault
_LEAST = 2.0**-24


@dataclass
class LossScale:
    """A power of two, so that scaling rounds nothing.

    Attributes
    ----------
    factor : 1 to begin with: a step's errors are summed up, not averaged, and so are large by themselves
    passed : steps without overflow since it was changed
    """

    factor: float = 1.0
    passed: int = 0

    def halve(self) -> bool:
        """After an overflow: go down; False when the scale is so small that it is not the reason."""
        self.factor, self.passed = self.factor / 2, 0
        return self.factor >= _LEAST

    def passes(self) -> None:
        """After a step without overflow: go up when there were enough of them."""
        self.passed += 1
        if self.passed >= PATIENCE:
            self.factor, self.passed = 2 * self.factor, 0
