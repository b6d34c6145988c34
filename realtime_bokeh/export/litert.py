"""Reading and running TFLite models with LiteRT, as apps do; PyTorch is not needed."""

import json
from typing import Any

from realtime_bokeh.errors import UsageError, one_line
from realtime_bokeh.export import Tensors

METADATA = "realtime_bokeh"  # under which a model carries what it is, as JSON


def read_metadata(content: bytes) -> dict[str, Any]:
    """What a model says that it is.

    Raises:
        UsageError: when it is no model of ours.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise UsageError("this is no TFLite model")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        place = next(e.buffer for e in model.metadata or [] if e.name.decode() == METADATA)
        buffer = model.buffers[place]
        # ai-edge-quantizer 0.10.0 keeps what buffers hold behind the flatbuffer
        outside = content[buffer.offset : buffer.offset + buffer.size] if buffer.size else b""
        found: dict[str, Any] = json.loads(outside or bytes(buffer.data))
    except StopIteration as error:
        raise UsageError("this TFLite model was not made by realtime-bokeh") from error
    except Exception as error:  # whatever flatbuffers makes of half a file
        raise UsageError(f"this TFLite model is damaged ({type(error).__name__})") from error
    return found


class Interpreter:
    """A model on the CPU, by XNNPACK.

    Raises:
        UsageError: when it is damaged or of another version.
    """

    def __init__(self, content: bytes, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter as Runtime

        self.metadata = read_metadata(content)
        try:
            self._runtime = Runtime(model_content=content, num_threads=threads)
            self._runtime.allocate_tensors()
            runner = self._runtime.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            said = one_line(error, 0)
            raise UsageError(f"this TFLite model cannot be loaded ({said})") from error
        # tensors by index: a signature runner of ai-edge-litert 2.3.0 copies every output twice
        self._inputs = {n: d["index"] for n, d in runner.get_input_details().items()}
        self._outputs = {n: d["index"] for n, d in runner.get_output_details().items()}

    def __call__(self, inputs: Tensors) -> Tensors:
        for name, value in inputs.items():
            self._runtime.set_tensor(self._inputs[name], value)
        self._runtime.invoke()
        return {name: self._runtime.get_tensor(index) for name, index in self._outputs.items()}

    def operators(self) -> set[str]:
        """The names of the model's operators; what the runtime adds for XNNPACK is left out."""
        names = {str(op["op_name"]) for op in self._runtime._get_ops_details()}
        return names - {"DELEGATE"}
