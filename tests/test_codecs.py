"""Codecs: round trips, bytes against SciPy's entropy, closed forms, and Pillow's own files."""

import inspect
import io
import math
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from aecourse import codecs, data, entropy_coding
from aecourse.codecs import entropy, quantise
from aecourse.entropy_coding import HEADER, compress, decompress, histograms
from aecourse.training import evaluate, fit


def random_symbols(seed):
    """Symbols of a random number of rows and columns, some constant, some wide, far from 0."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(1, 400), rng.integers(1, 9)
    spread, shift = 30 ** rng.uniform(-1, 1.5, d), rng.integers(-50, 50, d)
    return torch.from_numpy(np.rint(rng.standard_t(3, (n, d)) * spread + shift).astype(np.int64))


# ---- to bytes and back ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_round_trip_with_tables_of_these_symbols_and_of_others(seed):
    symbols = random_symbols(seed)
    generator = np.random.default_rng(seed)
    others = symbols[generator.permutation(len(symbols))[: len(symbols) // 3 + 1]]
    for tables in (histograms(symbols), histograms(others), histograms(others // 2)):
        stream = compress(symbols, tables)
        assert isinstance(stream, bytes)
        back = decompress(stream, tables)
        assert back.dtype == torch.int64 and torch.equal(back, symbols)


@pytest.mark.parametrize("shape", [(0, 1), (0, 5), (1, 1), (1, 7), (300, 1)])
@pytest.mark.parametrize("value", [0, 3, -2])
def test_round_trip_of_none_of_one_and_of_all_the_same(shape, value):
    symbols = torch.full(shape, value)
    for tables in (
        histograms(torch.full((4, shape[1]), value)),
        histograms(torch.zeros(2, shape[1], dtype=int)),
    ):
        assert torch.equal(decompress(compress(symbols, tables), tables), symbols)


def test_an_empty_set_is_a_header():
    assert len(compress(torch.zeros(0, 3, dtype=int), histograms(torch.arange(6).view(2, 3)))) == 16


def test_symbols_that_no_table_knows_escape_in_four_bytes_each():
    tables = histograms(torch.arange(-3, 4).repeat(100, 2).view(-1, 2))
    rare = torch.tensor([[0, 4], [-4, 1], [2**31 - 1, -(2**31)], [0, 0]])
    stream = compress(rare, tables)
    assert torch.equal(decompress(stream, tables), rare)
    assert HEADER.unpack_from(stream)[1] == 4
    assert len(stream) == 16 + HEADER.unpack_from(stream)[2] + 4 * 4


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1])
def test_symbols_beyond_32_bits_are_refused(value):
    with pytest.raises(ValueError, match="more than 32 bits: quantise with a larger step"):
        compress(torch.tensor([[value]]), histograms(torch.zeros(2, 1, dtype=int)))


@pytest.mark.parametrize("shape", [(5, 2), (5, 4), (5,), (5, 3, 1)])
def test_another_number_of_columns_than_the_tables_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"(The tables are for \(N, 3\), these are|symbols is) \(5"
    ):
        compress(torch.zeros(shape, dtype=int), histograms(torch.zeros(2, 3, dtype=int)))


def test_tables_count_each_symbol_and_leave_nothing_impossible():
    symbols = random_symbols(3)
    low, counts = histograms(symbols)
    assert low == symbols.min() and counts.shape[1] == symbols.max() - low + 2
    for column, row in zip(symbols.T, counts, strict=True):
        truth = [np.count_nonzero(column.numpy() == low + k) for k in range(counts.shape[1])]
        np.testing.assert_allclose(row, np.array(truth) + 0.1)


def test_tables_of_nothing_or_of_a_step_far_too_fine_are_refused():
    with pytest.raises(ValueError, match="symbols is empty"):
        histograms(torch.zeros(0, 3, dtype=int))
    histograms(torch.tensor([[0], [2**16 - 1]]))
    with pytest.raises(ValueError, match="span 65537 values: quantise with a larger step"):
        histograms(torch.tensor([[-1], [2**16 - 1]]))


# ---- how many bytes ---------------------------------------------------------------------------


def gaussian_symbols(n, spreads, seed=0):
    z = torch.randn(n, len(spreads), generator=torch.Generator().manual_seed(seed))
    return quantise(z * torch.tensor(spreads), 1.0)


SPREADS = [0.2, 0.5, 1.0, 3.0, 12.0]


def bits_of_scipy(symbols):
    columns = symbols.numpy().T
    return sum(stats.entropy(np.unique(c, return_counts=True)[1], base=2) for c in columns)


def test_entropy_is_scipy_s():
    for seed in range(5):
        symbols = random_symbols(seed)
        assert float(entropy(symbols)) == pytest.approx(bits_of_scipy(symbols), rel=1e-5, abs=1e-5)


def test_entropy_of_equally_frequent_symbols_and_of_one():
    assert float(entropy(torch.arange(8)[:, None])) == pytest.approx(3)
    assert float(entropy(torch.full((9, 2), 5))) == 0


def test_bytes_are_the_entropy_within_half_a_percent_and_2_with_tables_of_others():
    symbols, others = gaussian_symbols(10_000, SPREADS), gaussian_symbols(10_000, SPREADS, seed=1)
    bits = bits_of_scipy(symbols) * len(symbols)
    own = 8 * len(compress(symbols, histograms(symbols)))
    foreign = 8 * len(compress(symbols, histograms(others)))
    assert bits < own < 1.005 * bits
    assert own < foreign < 1.02 * bits


def test_bytes_are_the_cross_entropy_where_the_tables_are_wrong():
    """Coded with another column's table, symbols cost -log2 of what that table believes."""
    symbols, tables = gaussian_symbols(5000, [1.0]), histograms(gaussian_symbols(5000, [3.0], 1))
    p = tables.counts[0] / tables.counts[0].sum()
    truth = -np.log2(p[symbols[:, 0].numpy() - tables.low]).sum()
    assert 8 * len(compress(symbols, tables)) == pytest.approx(truth, rel=0.01)
    assert truth > 1.2 * bits_of_scipy(symbols) * len(symbols)


# ---- streams that are not whole ---------------------------------------------------------------


@pytest.fixture
def sent():
    symbols = gaussian_symbols(200, SPREADS)
    tables = histograms(symbols // 2)  # so that there are escapes
    stream = compress(symbols, tables)
    assert HEADER.unpack_from(stream)[1] > 0
    return stream, tables


def test_a_stream_cut_anywhere_is_refused_in_one_sentence(sent):
    stream, tables = sent
    for length in [*range(20), *range(20, len(stream), 7), len(stream) - 1]:
        with pytest.raises(ValueError, match=r"^The stream is cut short[^.\n]*\.$"):
            decompress(stream[:length], tables)
    with pytest.raises(ValueError, match=r"^The stream is cut short or too long[^.\n]*\.$"):
        decompress(stream + b"\0", tables)


def test_any_wrong_bit_is_refused_in_one_sentence(sent):
    stream, tables = sent
    for place in range(8 * len(stream)):
        broken = bytearray(stream)
        broken[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"^The stream is (cut short|damaged)[^.\n]*\.$"):
            decompress(bytes(broken), tables)


def test_other_tables_are_refused(sent):
    stream, tables = sent
    more = tables.counts.copy()
    more[2, 3] += 1
    for other in (tables._replace(low=tables.low + 1), tables._replace(counts=more)):
        with pytest.raises(ValueError, match="damaged or of other tables"):
            decompress(stream, other)


def test_a_forged_number_of_rows_is_refused_before_anything_is_decoded(sent):
    stream, tables = sent
    _, escapes, coded, checksum = HEADER.unpack_from(stream)
    forged = HEADER.pack(2**32 - 1, escapes, coded, checksum) + stream[16:]
    with pytest.raises(ValueError, match="damaged"):
        decompress(forged, tables)


def test_the_checksum_is_that_of_zlib(sent):
    stream, tables = sent
    head = stream[:12] + np.int64(tables.low).tobytes()
    assert HEADER.unpack_from(stream)[3] == zlib.crc32(head + tables.counts.tobytes() + stream[16:])


# ---- rounding and its stand-ins ---------------------------------------------------------------


@pytest.mark.parametrize("step", [0.01, 0.1, 0.25])
def test_the_error_of_a_fine_step_is_uniform(step):
    z = torch.randn(100_000, generator=torch.Generator().manual_seed(0)).double()
    error = z - quantise(z, step) * step
    assert error.abs().max() <= step / 2 + 1e-12
    assert error.square().mean().item() == pytest.approx(step**2 / 12, rel=0.02)
    assert stats.kstest(error.numpy(), stats.uniform(-step / 2, step).cdf).pvalue > 0.01


def test_symbols_are_integers_and_the_nearest():
    symbols = quantise(torch.tensor([[0.26, -0.74], [100.1, 0.0]]), 0.5)
    assert symbols.dtype == torch.int64 and symbols.tolist() == [[1, -1], [200, 0]]


def test_noise_is_uniform_and_has_slope_1():
    z = torch.zeros(20_000, requires_grad=True)
    torch.manual_seed(0)
    noise = codecs.noisy(z)
    assert stats.kstest(noise.detach().numpy(), stats.uniform(-0.5, 1).cdf).pvalue > 0.01
    assert torch.autograd.grad(noise.sum(), z)[0].unique().item() == 1


def test_straight_through_rounds_and_has_slope_1():
    z = torch.linspace(-3, 3, 50, requires_grad=True)
    rounded = codecs.straight_through(z)
    assert torch.equal(rounded.detach(), z.detach().round())
    assert torch.autograd.grad(rounded.sum(), z)[0].unique().item() == 1


# ---- rate and distortion ----------------------------------------------------------------------


def test_rate_is_the_mass_of_scipy_s_logistic_distribution():
    z = 4 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    logscale = torch.tensor([-0.5, 0.3, 1.0])
    logistic = stats.logistic(scale=logscale.exp().numpy())
    far = -z.abs().numpy()
    truth = -np.log(logistic.cdf(far + 0.5) - logistic.cdf(far - 0.5)).sum() / 50
    assert codecs.rate(z, logscale).item() == pytest.approx(truth, rel=1e-4)


def test_the_masses_of_all_integers_add_up_to_1():
    logscale = torch.tensor([0.4])
    nats = torch.stack([codecs.rate(torch.tensor([[float(k)]]), logscale) for k in range(-40, 41)])
    assert nats.neg().exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_rate_far_out_is_finite_with_a_finite_slope():
    z = torch.tensor([[200.0]], requires_grad=True)
    value = codecs.rate(z, torch.tensor([-2.0]))
    assert value.isfinite() and torch.autograd.grad(value, z)[0].isfinite().all()


def test_the_loss_is_error_and_rate_and_fit_lowers_it():
    x = torch.rand(64, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = codecs.Codec((1, 3, 3), (8,), 2)
    terms = codecs.rate_distortion(model, x, sigma=0.2, relax=torch.round)
    z = model.encode(x).round()
    error = (x - model.decode(z)).square().sum().item() / 64 / (2 * 0.04)
    assert terms["reconstruction"].item() == pytest.approx(error)
    assert torch.equal(terms["rate"], codecs.rate(z, model.logscale))

    def loss(model, x):
        return codecs.rate_distortion(model, x, sigma=0.2)

    before, scales = sum(evaluate(model, x, loss).values()), model.logscale.detach().clone()
    fit(model, x, loss, epochs=30, lr=1e-2)
    assert sum(evaluate(model, x, loss).values()) < before
    assert not torch.equal(model.logscale, scales)


@pytest.mark.parametrize("error, decibels", [(0.1, 20), (0.01, 40), (1.0, 0), (0.5, 6.0206)])
def test_psnr_of_a_constant_error_is_20_log10_of_it(error, decibels):
    x = torch.zeros(3, 1, 4, 4)
    assert codecs.psnr(x, x + error).item() == pytest.approx(decibels, abs=1e-3)


def test_psnr_of_noise_is_that_of_its_variance():
    x = torch.zeros(100_000)
    noise = 0.05 * torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    assert codecs.psnr(x, x + noise).item() == pytest.approx(-20 * math.log10(0.05), abs=0.05)


# ---- image files ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return data.load("mnist", "test").x[:64]


def test_a_png_is_lossless_and_holds_the_sheet_row_by_row(digits):
    content, back = codecs.image_file(digits, "PNG")
    assert torch.equal((back * 255).round(), (digits * 255).round())
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG" and image.size == (224, 224) and image.mode == "L"
    third = np.array(image)[28:56, 56:84]  # the third of the second row
    assert np.array_equal(third, (digits[10, 0] * 255).round().byte().numpy())


def test_a_jpeg_decodes_through_pillow_and_a_higher_quality_costs_bytes_and_gains_decibels(digits):
    sizes, decibels = [], []
    for quality in (5, 20, 50, 90):
        content, back = codecs.image_file(digits, "JPEG", quality=quality)
        image = Image.open(io.BytesIO(content))
        assert image.format == "JPEG"
        whole = torch.from_numpy(np.array(image)) / 255
        assert torch.equal(whole[56:84, 28:56], back[17, 0])
        sizes.append(len(content))
        decibels.append(codecs.psnr(digits, back).item())
    assert sizes == sorted(sizes) and decibels == sorted(decibels)
    assert decibels[0] > 17 and decibels[-1] > 35


@pytest.mark.parametrize("n", [0, 2, 63])
def test_no_square_sheet_no_file(n, digits):
    with pytest.raises(ValueError, match=r"make no square sheet|x is empty"):
        codecs.image_file(digits[:n], "PNG")


# ---- Colab ------------------------------------------------------------------------------------


def test_only_compress_and_decompress_import_the_range_coder():
    """It is not on Colab, where the other notebooks must do without it."""
    source = inspect.getsource(entropy_coding)
    imports = [line for line in source.splitlines() if line.strip().startswith("import constr")]
    assert len(imports) == 3 and all(line.startswith("    ") for line in imports)
