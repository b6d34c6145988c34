"""What a teacher answers."""

import torch
from torch import Tensor, nn

from training.fit.teacher import Teacher


class _Slope(nn.Module):
    """Is wrong on one side: adds the column, times its only weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.asked = 0

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1
        return x + self.weight * torch.arange(x.shape[-1])


def test_a_picture_and_its_mirror_image_get_mirrored_answers() -> None:
    image = torch.rand(1, 4, 2, 6)
    teacher = Teacher(_Slope())
    answer = teacher(image)
    assert torch.allclose(answer, image + 2.5)  # what is wrong to one side cancels out
    assert torch.allclose(teacher(image.flip(-1)), answer.flip(-1))


def test_pupils_who_ask_the_same_get_the_same_answer_until_it_learns() -> None:
    image = torch.rand(1, 4, 2, 6)
    network = _Slope()
    teacher = Teacher(network)
    answer = teacher(image)
    assert teacher(image) is answer
    assert network.asked == 2
    teacher.learn({"weight": torch.tensor(3.0)})
    assert torch.allclose(teacher(image), image + 7.5)
