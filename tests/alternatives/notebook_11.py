"""Other ways to the right answers of notebook 11."""

import math

import numpy as np
import torch


def tone_in_a_loop(frequency, seconds, rate=11_025):
    samples = []
    for n in range(round(seconds * rate)):
        t, s = n / rate, 0.0
        for k in range(1, 7):
            s += 0.6 / k**2 * math.exp(-2 * k * t) * math.sin(2 * math.pi * k * frequency * t)
        samples.append(min(1, t / 0.005, (seconds - t) / 0.03) * s)
    return np.array(samples)


def tone_in_pytorch(frequency, seconds, rate=11_025):
    t = torch.arange(round(seconds * rate)) / rate  # float32
    k = torch.arange(1, 7)[:, None]
    wave = 0.6 / k**2 * (-2 * k * t).exp() * (2 * torch.pi * k * frequency * t).sin()
    return wave.sum(0) * torch.minimum(t / 0.005, (seconds - t) / 0.03).clamp(max=1)


def tone_by_complex_powers(frequency, seconds, rate=11_025):
    """exp(-2 k t) sin(2 pi k f t) is the imaginary part of q^k."""
    t = np.arange(round(seconds * rate)) / rate
    q = np.exp((2j * np.pi * frequency - 2) * t)
    envelope = np.interp(t, [0, 0.005], [0, 1])
    envelope = np.where(envelope < (seconds - t) / 0.03, envelope, (seconds - t) / 0.03)
    return envelope * sum(0.6 / k**2 * q**k for k in range(1, 7)).imag


ALTERNATIVES = {"tone": (tone_in_a_loop, tone_in_pytorch, tone_by_complex_powers)}


def _product_of_ramps(frequency, seconds, rate=11_025):
    t = np.arange(round(seconds * rate)) / rate
    wave = sum(
        0.6 / k**2 * np.exp(-2 * k * t) * np.sin(2 * np.pi * k * frequency * t) for k in range(1, 7)
    )
    return wave * (t / 0.005).clip(0, 1) * ((seconds - t) / 0.03).clip(0, 1)


WRONG = {"tone": {"the product of the two ramps": _product_of_ramps}}
