"""A stand-in for a GPU on a machine that has none: a tensor that says cuda:0 and lives on the CPU.

It raises where a tensor of a real GPU would: where it meets a plain CPU tensor that has axes, and
where it is to become NumPy. `up(model)` moves a model there, `Gpu(x)` a tensor; inside of
`FakeCuda()`, .to("cuda"), .cpu() and device="cuda" mean this one.
"""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CUDA = torch.device("cuda:0")
MAY_MIX = {"_to_copy", "copy_", "index.Tensor", "index", "index_put_", "index_put"}
MAY_MIX |= {"_index_put_impl_"}


class Gpu(torch.Tensor):
    @staticmethod
    def __new__(cls, elem, rg=False):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            elem.size(),
            strides=elem.stride(),
            storage_offset=elem.storage_offset(),
            dtype=elem.dtype,
            layout=elem.layout,
            device=elem.device,
            requires_grad=rg,
        )

    def __init__(self, elem, rg=False):
        self.elem = elem

    def __repr__(self):
        return f"Gpu({self.elem})"

    def __tensor_flatten__(self):
        return ["elem"], None

    @staticmethod
    def __tensor_unflatten__(inner, meta, size, stride):
        return Gpu(inner["elem"])

    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in (torch.Tensor.numpy, torch.Tensor.__array__):
            raise TypeError("can't convert cuda:0 device type tensor to numpy: use Tensor.cpu()")
        if func is torch.nn.functional.one_hot:  # compares with numbers that it makes on the CPU
            return Gpu(func(inside(args[0]), *args[1:], **kwargs or {}))
        if "matmul" in func.__name__ and args[0].ndim < args[1].ndim == 2:
            return (args[0][None] @ args[1])[0]  # else it squeezes in place, behind our back
        if func is torch.Tensor.tolist:
            return args[0].detach().elem.tolist()
        if func in (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda):
            return moved(func, args, kwargs or {})
        return super().__torch_function__(func, types, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        flat, _ = tree_flatten((args, kwargs))
        name = func._schema.name.removeprefix("aten::")
        if name not in MAY_MIX and any(map(is_plain, flat)):
            raise RuntimeError(f"Expected all tensors to be on the same device (in {func})")
        if name in ("index.Tensor", "index") and not isinstance(args[0], Gpu):
            raise RuntimeError(f"indices should be on the same device as the tensor (in {func})")
        out = func(*tree_map(inside, args), **tree_map(inside, kwargs))
        if name == "_local_scalar_dense":
            return out
        if func._schema.is_mutable and isinstance(out, torch.Tensor):
            for a in flat:
                if isinstance(a, Gpu) and a.elem is out:
                    return a
        return tree_map(lambda t: Gpu(t) if isinstance(t, torch.Tensor) else t, out)


def is_plain(t):
    """A tensor on the CPU that has axes: a number may meet the card."""
    return isinstance(t, torch.Tensor) and not isinstance(t, Gpu) and t.dim() > 0


def inside(t):
    if isinstance(t, Gpu):
        return t.elem
    return torch.device("cpu") if isinstance(t, torch.device) else t


class Up(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return Gpu(x.detach().clone())

    @staticmethod
    def backward(ctx, g):
        return g.elem if isinstance(g, Gpu) else g


class Down(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.elem.clone()

    @staticmethod
    def backward(ctx, g):
        return Gpu(g)


def kind(a):
    """The word cuda or cpu, of what may say so; else None."""
    if isinstance(a, torch.device):
        return a.type
    if isinstance(a, str) and a.split(":")[0] in ("cuda", "cpu"):
        return a.split(":")[0]
    if isinstance(a, torch.Tensor):
        return "cuda" if isinstance(a, Gpu) else "cpu"


def moved(func, args, kwargs):
    x, rest = args[0], [*args[1:], *kwargs.values()]
    target = {torch.Tensor.cpu: "cpu", torch.Tensor.cuda: "cuda"}.get(func)
    target = target or next(filter(None, map(kind, rest)), None)
    dtypes = [a.dtype if isinstance(a, torch.Tensor) else a for a in rest]
    dtype = next((a for a in dtypes if isinstance(a, torch.dtype)), None)
    if target == "cuda" and not isinstance(x, Gpu):
        x = Up.apply(x)
    elif target == "cpu" and isinstance(x, Gpu):
        x = Down.apply(x)
    return x.type(dtype) if dtype and x.dtype != dtype else x


class FakeCuda(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda):
            return moved(func, args, kwargs)
        if kwargs.get("device") is not None and kind(kwargs["device"]) == "cuda":
            return Up.apply(func(*args, **kwargs | {"device": "cpu"}))
        return func(*args, **kwargs)


def up(model):
    """A model on the card, parameter by parameter."""
    for module in model.modules():
        for name, p in module._parameters.items():
            if p is not None:
                on_card = Gpu(p.detach().clone())
                module._parameters[name] = torch.nn.Parameter(on_card, p.requires_grad)
        for name, b in module._buffers.items():
            if b is not None:
                module._buffers[name] = Gpu(b.detach().clone())
    return model
