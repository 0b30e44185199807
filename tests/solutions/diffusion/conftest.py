"""One thread for torch: these networks are so small that a second one only gets in the way."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Let torch use one thread in all tests of this folder."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
