"""The names that a checkpoint's pickle may use: of tensors, of containers, and of harmless things that lie beside weights."""

from __future__ import annotations

import re

import torch

STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}
_DTYPES = (
    "float16 half bfloat16 float32 float float64 double int8 int16 short int32 int int64 long uint8 uint16 uint32 uint64 bool "
    "complex64 complex128 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz"
)
DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in _DTYPES.split()}
BYTES = ("torch UntypedStorage", "torch.storage UntypedStorage", "torch.storage _UntypedStorage")
MAPPINGS = (
    "collections OrderedDict",
    "collections defaultdict",
    "collections Counter",
    "easydict EasyDict",
    "addict.addict Dict",
    "yacs.config CfgNode",
    "ml_collections.config_dict.config_dict ConfigDict",
    "lightning.fabric.utilities.data AttributeDict",
    "lightning_fabric.utilities.data AttributeDict",
    "pytorch_lightning.utilities.parsing AttributeDict",
)
"""Dictionaries by another name: what they hold is read."""
_BUILTINS = "list dict set frozenset int float str bool bytes bytearray complex tuple object slice range xrange unicode long"
HARMLESS = frozenset(
    {
        *MAPPINGS,
        *(f"{module} {name}" for module in ("builtins", "__builtin__") for name in _BUILTINS.split()),
        *(f"{module} {name}" for module in ("torch", "torch.cuda") for name in STORAGES),
        *BYTES,
        "torch.storage TypedStorage",
        "torch._utils _rebuild_tensor",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_tensor_v3",
        "torch._utils _rebuild_parameter",
        "torch._utils _rebuild_parameter_with_state",
        "torch._tensor _rebuild_from_type_v2",
        "torch.nn.parameter Parameter",
        "torch Tensor",
        "torch Size",
        "torch device",
        "torch.serialization _get_layout",
        "torch.torch_version TorchVersion",
        "_codecs encode",
        "copyreg _reconstructor",
        "copy_reg _reconstructor",
        "argparse Namespace",
        "types SimpleNamespace",
        "collections deque",
        "datetime date",
        "datetime datetime",
        "datetime time",
        "datetime timedelta",
        "datetime timezone",
        "decimal Decimal",
        "uuid UUID",
        "typing Any",
        *(f"{module} {kind}" for module in ("pathlib", "pathlib._local") for kind in
          ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath")),
        *(f"numpy{core} {name}" for core in (".core.multiarray", "._core.multiarray") for name in ("scalar", "_reconstruct")),
        "numpy.core.numeric _frombuffer",
        "numpy._core.numeric _frombuffer",
        "numpy dtype",
        "numpy ndarray",
        "numpy bool_",
        "omegaconf.dictconfig DictConfig",
        "omegaconf.listconfig ListConfig",
        "omegaconf.base ContainerMetadata",
        "omegaconf.base Metadata",
        "omegaconf.nodes AnyNode",
    }
)  # fmt: skip
"""What may be named beside weights: containers, numbers, dates, paths and settings of training."""
_NUMPY_TYPES = re.compile(r"numpy(\.dtypes)? (u?int|float|complex)(8|16|32|64|128)(DType)?$")


def is_harmless(name: str) -> bool:
    """Whether a pickle may name this: it is a kind of value, not something that does anything."""
    module, _, function = name.partition(" ")
    return (module == "torch" and function in DTYPES) or name in HARMLESS or _NUMPY_TYPES.match(name) is not None
