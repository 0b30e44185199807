"""Objects that are no data, as a check sees them: a network, an optimiser, whatever a student's function makes.

They stay on the student's side, in a guest or in this process; a check calls them, and gets and sets their weights. What is
done to an object is evidence about the function that made it, or that it was last given to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Thing:
    """An object that is no data and stays on the student's side: call it, its methods, and get or set its weights.

    `held` is the object itself where we play the student, its handle where a guest does. Two are equal that were made alike.
    """

    def __init__(self, student: Any, name: str, label: str, held: Any):
        self.held, self.of = held, name
        self._chance = True  # its weights are still those it drew for itself: what it does is no evidence of anything
        self._student, self._name, self._label = student, name, label

    def __repr__(self) -> str:
        return self._label

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and repr(self) == repr(other)

    __hash__ = None  # type: ignore[assignment]  # it may change

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._asked("@call", f"{self._name}()", args, kwargs)

    def method(self, name: str, *args: Any) -> Any:
        """Call a named method."""
        return self._asked(f"@method {name}", f"{self._name}().{name}", args, {})

    def weights(self) -> dict[str, Any]:
        """Read the weights: arrays by name."""
        value = self._asked("@weights", f"{self._name}().state_dict", (), {})
        if not isinstance(value, dict):
            raise TypeError(f"the weights of `{self._name}` are no dict")
        return value

    def set_weights(self, weights: dict[str, Any]) -> None:
        """Put these weights in the place of its own."""
        self._chance = False
        self._asked("@set_weights", f"{self._name}().load_state_dict", (weights,), {})

    def _asked(self, name: str, shown: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._student.played(name, (self, *args), kwargs, shown=shown, of="" if self._chance else self.of)


def on_object(name: str, held: Any) -> Callable[..., Any]:
    """Find what a name like "@call" or "@method decode" means for an object of ours."""
    if name == "@weights":
        return lambda: {key: value.detach().clone() for key, value in held.state_dict().items()}
    if name == "@set_weights":
        return lambda weights: held.load_state_dict(weights) and None
    return held if name == "@call" else getattr(held, name.removeprefix("@method "))  # type: ignore[no-any-return]
