"""Where a run is computed."""

import os

import torch
from lightning_fabric import Fabric
from torch import Tensor


def open_fabric(precision: str) -> Fabric:
    """Start Lightning Fabric for one device, or for the processes that torchrun started.

    Args:
        precision: f32, or bf16, in which the network computes; its weights stay in float32.
    """
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    world = int(os.environ.get("WORLD_SIZE", 1))
    fabric = Fabric(
        strategy="ddp" if world > 1 else "auto",
        devices=devices,
        num_nodes=world // devices,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    if fabric.device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    return fabric


def describe_device(fabric: Fabric, precision: str) -> str:
    """The device and the precision, for a person, such as "CPU with 2 threads, f32"."""
    kind = fabric.device.type
    if kind == "cuda":
        name = torch.cuda.get_device_name(fabric.device)
    else:
        name = f"{kind.upper()} with {torch.get_num_threads()} threads"
    processes = f", {fabric.world_size} processes" if fabric.world_size > 1 else ""
    return f"{name}{processes}, {precision}"


def summed(fabric: Fabric, values: Tensor) -> list[float]:
    """Values [n] summed over all processes."""
    result = fabric.all_reduce(values, reduce_op="sum")
    assert isinstance(result, Tensor)
    return [float(v) for v in result]
