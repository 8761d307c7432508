"""What an error of Python or PyTorch often means, in one sentence, for those who meet it first."""

import re

ADVICE = {  # a pattern in "the line  Error: its message" -> what to look at
    r"before Module\.__init__": "super().__init__() comes first in __init__.",
    r'required "forward" function': "Is `forward` misspelt, or missing?",
    r"'dict' object has no attribute '(backward|item|detach)'": (
        "The loss is a dict of terms: sum(terms.values()) makes one number of them."
    ),
    r"'function' object has no attribute '(backward|item)'": (
        "A function is not its value: backward() belongs to the sum of what loss(...) returns."
    ),
    r"'float' object has no attribute 'backward'": (
        "A plain number has no way back: .item() comes last."
    ),
    r"for \+: 'int' and 'str'": "sum(a dict) adds up its names: write sum(terms.values()).",
    r"'torch' has no attribute '(Adam|SGD)'": "Optimizers are in torch.optim.",
    r"optim\.\w+\(model[,)].* is not iterable": "An optimizer wants model.parameters().",
    r"'(builtin_function_or_method|method)' object is not": "Are the brackets of a call missing?",
    r"for \w+ in \w+: .*'int' object is not iterable": "range(n) counts up to n.",
    r"TypeError: list is not a Module": "nn.Sequential takes its layers one by one, without [ ].",
    r"is not a Module": "Layers are objects: nn.ReLU(), with brackets.",
    r"Linear\(shape.*TypeError": "nn.Linear wants two whole numbers; math.prod(shape) is one.",
    r"= shape\b.* to unpack": "shape is (1, H, W), three numbers.",
    r"Unflatten.*missing 1 required": "nn.Unflatten(1, shape): the 1 says which axis.",
    r"missing \d required positional": "Is an argument missing, or `self.` in front?",
    r"NameError: name '[xz]' is": (
        "It is no argument here: a function that makes a network is called before there are images."
    ),
    r"'Tensor' object is not callable": "Is the model itself wanted here, not model(x)?",
    r"self\..* object has no attribute": "Is it misspelt, or kept in self under another name?",
    r"shape '\[.*\]' is invalid for input": "Is a size written as a number? Take it from x.shape.",
    r"should be between 0 and 1": (
        "Logits are any numbers: F.binary_cross_entropy_with_logits takes them."
    ),
    r"A Bernoulli loss needs x in": "Do its two arguments stand in their order?",
}


def advice(line, error):
    """The sentence for an error, "TypeError: ...", in a line of code; "" for one that is not known.

    The first pattern that is found counts.
    """
    return next((words for p, words in ADVICE.items() if re.search(p, f"{line} {error}")), "")
