"""Where a learner's reviews lie: in the workspace, and without one in the folder that the system has for a person's data."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def own_place() -> Path:
    """Give the folder for a learner who has no workspace."""
    return platformdirs.user_data_path("denoising-course", appauthor=False)
