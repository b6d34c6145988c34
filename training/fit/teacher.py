"""A network that another learns from."""

from torch import Tensor, nn


class Teacher(nn.Module):
    """What a network makes of a picture and of its mirror image, in the mean.

    That is right more often than what it makes of either (data distillation, Radosavovic et al.
    2018). Several pupils who ask the same get the same answer.

    Args:
        network: input and output as in `realtime_bokeh.network.dmshn.DMSHN`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._asked: Tensor | None = None
        self._answer: Tensor | None = None

    def forward(self, image: Tensor) -> Tensor:
        if self._answer is None or image is not self._asked:
            mirrored: Tensor = self.network(image.flip(-1)).flip(-1)
            self._asked, self._answer = image, (self.network(image) + mirrored) / 2
        return self._answer

    def learn(self, state: dict[str, Tensor]) -> None:
        """Take other weights."""
        self.network.load_state_dict(state)
        self._answer = None
