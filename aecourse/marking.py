"""Marks an attempt at an exercise: its answers on all cases, and their gradients."""

import copy
import inspect

import numpy as np
import torch

from aecourse import answers, attempts
from aecourse.attempts import Stopped
from aecourse.relations import relation


def wrong(exercise, f):
    """None if f is right, or else one sentence on what is wrong with it.

    Raises attempts.Unwritten for a stub.
    """
    tried = []  # (word, arguments, answer, right answer) of each case
    for word, arguments in cases(exercise).items():
        try:
            answer = _answer(exercise, f, arguments)
        except Stopped as stopped:
            if all(_same(exercise, *case[2:]) for case in tried):
                return f"{stopped} {_given_to(exercise, arguments, word)}"
            break
        tried.append((word, arguments, answer, _answer(exercise, exercise.solution, arguments)))
    failed = [case for case in tried if not _same(exercise, *case[2:])]
    if not failed:
        slope = _wrong_gradient(exercise, f) if exercise.trained else None
        return slope or _wrong_default(exercise, f)
    for sentence, mistake in exercise.mistakes.items():
        if all(_alike(exercise, given, mistake, a) for _, given, a, _ in failed):
            return sentence
    return _fact(exercise, failed[0]) if exercise.probe else _entry(exercise, failed, len(tried))


def cases(exercise):
    """The cases of an exercise as {word for it: arguments}; the word of most is empty."""
    given = exercise.cases()
    return given if isinstance(given, dict) else dict(enumerate(given))


def _answer(exercise, f, arguments):
    """f(*arguments), or the facts about f, as {words: float64 array}; on a copy, the seed fixed."""

    def attempt(*arguments, **named):
        answer = f(*arguments, **named)
        if answer is None:
            raise Stopped("it returns nothing; is a `return` missing?")
        return answer

    attempt.learners = f  # a probe may look for a line of it

    def seeded(*arguments):
        torch.manual_seed(0)
        return exercise.probe(attempt, *arguments) if exercise.probe else attempt(*arguments)

    mine = copy.deepcopy(arguments)
    answer = attempts.run(seeded, *mine, author=f)
    for before, after in zip(arguments, mine, strict=True):
        if isinstance(before, torch.Tensor) and not torch.equal(before, after.detach()):
            raise Stopped("it changes its argument in place; work on a new tensor.")
    if exercise.probe:
        return {words: answers.parts([part], 1)[0][0] for words, part in answer.items()}
    k = exercise.results
    names = [f"result {j} of {k}" for j in range(1, k + 1)] if k > 1 else ["the result"]
    return dict(zip(names, answers.parts(answer, k), strict=True))


def _alike(exercise, arguments, f, answer):
    """Whether f has that answer."""
    try:
        return _same(exercise, answer, _answer(exercise, f, arguments))
    except Stopped:
        return False


def _same(exercise, answer, right):
    a, b = list(answer.values()), list(right.values())
    if [part.shape for part in a] != [part.shape for part in b]:
        return False
    return all(map(answers.close, exercise.view(a), exercise.view(b)))


def _wrong_gradient(exercise, f):
    """One sentence if an answer that is trained through has no gradient, or a wrong one."""
    for word, arguments in cases(exercise).items():
        right = _gradients(exercise.solution, arguments)
        try:
            came = attempts.run(_gradients, f, arguments, author=f)
        except Stopped:
            came = None
        if came is None:
            return (
                "look at the gradient: the numbers are right, and no gradient flows back through "
                "them; no .item(), no NumPy, no detach, no loop over plain numbers."
            )
        for k, (a, b) in enumerate(zip(came, right, strict=True)):
            if not np.allclose(a, b, rtol=1e-3, atol=1e-5 * np.abs(b).max(initial=1e-30)):
                name = list(inspect.signature(exercise.solution).parameters)[k]
                if not np.any(a):
                    return f"look at the gradient: none reaches {name}, though the value is right."
                told = _given_to(exercise, arguments, word)
                return f"look at the gradient by {name}: the value is right, it is not. {told}"
    return None


def _wrong_default(exercise, f):
    """One sentence if an argument that may be left out has no default, or another one.

    Arguments are compared by their place. A default of None is set in the body, so the argument is
    left out; a default that is a function or a class may be the learner's own.
    """
    plain = int | float | str | tuple | list
    arguments = next(iter(cases(exercise).values()))
    mine, ours = (inspect.signature(g).parameters.values() for g in (f, exercise.solution))
    for k, (came, right) in enumerate(zip(mine, ours, strict=False)):
        if came.kind in (came.VAR_POSITIONAL, came.VAR_KEYWORD):
            return None
        if not isinstance(right.default, plain):
            continue
        wanted = f"look at the argument {came.name}: left out, it should be {right.default}"
        if came.default is came.empty:
            return f"{wanted}."
        if isinstance(came.default, plain) and not np.array_equal(came.default, right.default):
            return f"{wanted}, not {came.default}."
        if came.default is None and not exercise.probe:
            answer = _answer(exercise, exercise.solution, arguments[:k])
            if not _alike(exercise, arguments[:k], f, answer):
                return f"{wanted}."
    return None


def _gradients(f, arguments):
    """Gradients of f's results, weighed by fixed numbers, with respect to the arguments that are
    float tensors; None where there is no way back."""
    given = [with_gradient(a) for a in arguments]
    learnt = [a for a in given if isinstance(a, torch.Tensor) and a.requires_grad]
    results = f(*given)
    results = results if isinstance(results, tuple | list) else [results]
    results = [r for r in results if isinstance(r, torch.Tensor) and r.requires_grad]
    if not learnt or not results:
        return None
    generator = torch.Generator().manual_seed(0)
    weights = [torch.rand(r.shape, generator=generator, dtype=torch.float64) for r in results]
    total = sum((weight * r).sum() for weight, r in zip(weights, results, strict=True))
    slopes = torch.autograd.grad(total, learnt, allow_unused=True)
    return [
        np.zeros(a.shape) if g is None else g.double().numpy()
        for a, g in zip(learnt, slopes, strict=True)
    ]


def with_gradient(a):
    """A copy of an argument that asks for a gradient, if it can have one."""
    if isinstance(a, torch.Tensor) and a.is_floating_point():
        return a.detach().clone().requires_grad_()
    return copy.deepcopy(a)


def _entry(exercise, failed, n):
    """What is wrong with a computed answer: a relation, or the first entry that differs."""
    word, arguments, answer, right = failed[0]
    names = [name for name in right if not answers.close(answer[name], right[name])]
    told = _given_to(exercise, arguments, word)
    if not names or _same(exercise, answer, right):
        return f"each result is right up to its sign, but the signs do not fit each other. {told}"
    name = names[0]
    parameters = list(inspect.signature(exercise.solution).parameters)
    triples = [(a[name], b[name], dict(zip(parameters, g, strict=False))) for _, g, a, b in failed]
    related = relation(triples)
    if related:
        return related if len(right) == 1 else f"{related[:-1]}: {name}."
    some = f"right on {n - len(failed)} of {n} cases; elsewhere " if len(failed) < n else ""
    return f"{some}{name} {answers.difference(answer[name], right[name])} {told}"


def _fact(exercise, case):
    """The first fact that differs. A fact that is a whole sentence stands for itself."""
    word, arguments, answer, right = case
    for words in right:
        if not answers.close(answer[words], right[words]):
            if words[-1] in ".?":
                return words
            came, wanted = answers.numbers(answer[words]), answers.numbers(right[words])
            return f"{words} should be {wanted}, came {came} {_given_to(exercise, arguments, word)}"
    return "the facts about it do not fit each other."


def _given_to(exercise, arguments, word):
    """The arguments in words: (for x of shape (20, 1, 3, 4) and d = 2), or the word of the case."""
    words = []
    names = list(inspect.signature(exercise.probe or exercise.solution).parameters)
    for name, value in zip(names[exercise.probe is not None :], arguments, strict=False):
        tensor = isinstance(value, torch.Tensor)
        words.append(f"{name} of shape {tuple(value.shape)}" if tensor else f"{name} = {value}")
    named = f"{word}: " if isinstance(word, str) else ""
    return f"({named}for {' and '.join(words)})."
