"""The colours and sizes of the figures, for a light and a dark page."""

from dataclasses import dataclass
from typing import Any

from solutions.diffusion.figures import letters


@dataclass(frozen=True)
class Theme:
    """The colours of a figure."""

    name: str
    text: str
    faint: str
    blue: str
    orange: str
    green: str
    box: str

    def style(self) -> dict[str, Any]:
        """Return matplotlib's settings for this theme."""
        coloured = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
        return {
            **dict.fromkeys(coloured, self.text),
            "axes.edgecolor": self.faint,
            "grid.color": self.faint,
            "grid.linewidth": 0.5,
            "grid.alpha": 0.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11.5,
            "font.size": 10.5,
            "lines.linewidth": 2,
            "legend.frameon": False,
            **letters.settings(),
        }


LIGHT = Theme("light", text="#1f2430", faint="#9aa3b2", blue="#2563c9", orange="#c25e00", green="#1b7f5c", box="#eef2f9")
DARK = Theme("dark", text="#e8eaf0", faint="#6b7386", blue="#7fb0ff", orange="#ffab5e", green="#63d2a6", box="#232a3a")
