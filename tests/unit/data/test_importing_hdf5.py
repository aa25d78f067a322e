"""HDF5: arrays, groups and links, and one sentence for what cannot be used."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from strangecast.core.errors import ConfigError, DataError
from strangecast.data.importing import import_dataset

from .conftest import make, own_plan


def written(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("__", "/")] = array
    return path


def refused(path, told, kind=DataError, **source):
    with pytest.raises(kind, match=told) as caught:
        import_dataset(own_plan(path, **source), path.parent)
    assert "\n" not in str(caught.value)
    assert not (path.parent / "data").exists()


# What is read


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_a_single_array_needs_no_key(tmp_path, smooth, suffix):
    path = written(tmp_path / f"a{suffix}", deep__down__u=smooth.astype(np.float32))
    dataset = make(own_plan(path, channels=["u", "v"]), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-0"), smooth.astype(np.float32))
    assert dataset.values("own-0").dtype == np.float64


def test_several_trajectories_in_one_array(tmp_path, smooth):
    path = written(tmp_path / "a.h5", runs=np.stack([smooth, -smooth]), other=np.arange(3))
    dataset = make(own_plan(path, channels=["u", "v"], key="runs"), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-1"), -smooth)


def test_an_array_per_trajectory_in_the_order_of_names(tmp_path, smooth):
    arrays = {f"runs__run{k}": smooth[: 400 - k] + k for k in (10, 2, 1)}
    path = written(tmp_path / "a.h5", **arrays, note=np.zeros(2))
    dataset = make(own_plan(path, channels=["u", "v"], key="runs"), tmp_path)
    for i, k in enumerate((1, 2, 10)):
        np.testing.assert_array_equal(dataset.values(f"own-{i}"), smooth[: 400 - k] + k)


@pytest.mark.parametrize("key", [None, "/", "/a/b/"])
def test_an_array_per_channel(tmp_path, smooth, key):
    place = "a__b__" if key == "/a/b/" else ""
    path = written(
        tmp_path / "a.h5",
        **{f"{place}u": smooth[:, 0], f"{place}v": smooth[:, 1], f"{place}t": np.arange(400) * 0.5, f"{place}w": [1.0]},
    )
    dataset = make(own_plan(path, channels=["v", "u"], dt=None, time_column="t", key=key), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-0"), smooth[:, ::-1])
    assert dataset.spec.dt == pytest.approx(0.5)


def test_an_array_per_channel_of_several_trajectories(tmp_path, smooth):
    u, v = np.stack([smooth[:, 0], 3 * smooth[:, 0]]), np.stack([smooth[:, 1], smooth[:, 1]])
    dataset = make(own_plan(written(tmp_path / "a.h5", u=u, v=v), channels=["u", "v"]), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-1"), smooth * [3, 1])


def test_columns_with_labels_of_trajectories(tmp_path, smooth):
    path = written(tmp_path / "a.h5", u=smooth[:, 0], run=np.repeat([7, 3], 200))
    dataset = make(own_plan(path, length_window=(8, 8), channels=["u"], trajectory_column="run"), tmp_path)
    np.testing.assert_array_equal(dataset.values("own-1"), smooth[200:, :1])


@pytest.mark.parametrize("times", [np.cumsum(1 + 0.5 * np.sin(np.arange(400))), np.cumsum(np.ones((2, 400)), axis=1)])
def test_times_beside_an_array(tmp_path, smooth, times):
    path = written(tmp_path / "a.h5", runs=np.stack([smooth, smooth]), t=times)
    dataset = make(own_plan(path, channels=["u", "v"], key="runs", dt=None, time_column="t"), tmp_path)
    assert dataset.spec.dt == (None if times.ndim == 1 else pytest.approx(1.0))
    wanted = times if times.ndim == 1 else times[1] - times[1, 0]
    np.testing.assert_allclose(dataset.times("own-1"), wanted)
    alone = make(own_plan(path, channels=["u", "v"], dt=None, time_column="t", name="alone"), tmp_path)
    np.testing.assert_array_equal(alone.values("alone-1"), smooth)


# What is refused


def test_wrong_keys_are_named_with_the_nearest(tmp_path, smooth):
    path = written(tmp_path / "a.h5", runs__first=smooth, runs__second=smooth, more=smooth)
    refused(path, "holds 3 arrays; source.key must say which array or group: /more, /runs/first", channels=["u", "v"])
    refused(path, "no array or group 'run'; did you mean 'runs'", key="run/first")
    refused(path, "no array or group 'frist'; did you mean 'first'", key="runs/frist")
    refused(path, "'/more' is an array, there is no 'x' in it", key="more/x")
    refused(path, "the times|no array or group 't'", key="more", time_column="t", dt=None)
    refused(path, "has 2 channels, source.channels names 3", key="more", channels=["a", "b", "c"])
    refused(path, "first has 2 channels, source.channels names 1", key="runs", channels=["a"])
    refused(written(tmp_path / "none.h5"), "holds no arrays")


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.array([[1 + 2j] * 2] * 40), "holds complex128, real numbers are needed"),
        (np.array([[b"a", b"b"]] * 40), r"holds \|S1, real numbers are needed"),
        (np.zeros(40, [("u", float)]), "real numbers are needed"),
        (np.zeros(40), r"has shape \[40\]; \[T, C\] or \[N, T, C\] is needed"),
        (np.zeros((1, 2, 40, 2)), r"has shape \[1, 2, 40, 2\]"),
        (np.full((40, 2), np.nan), "80 values are missing or infinite, the first at row 0"),
        (np.zeros((31, 2)), "31 samples; one window needs"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, array, told):
    refused(written(tmp_path / "a.h5", u=array), told)


def test_objects_and_references_are_not_read(tmp_path, smooth):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("text", data=["x"] * 40, dtype=h5py.string_dtype())
        file.create_dataset("ragged", (40,), dtype=h5py.vlen_dtype(np.float64))
        file.create_dataset("references", (40, 2), dtype=h5py.ref_dtype)
    for key in ("text", "ragged", "references"):
        refused(tmp_path / "a.h5", f"/{key} holds object, real numbers are needed", key=key)


def test_no_other_file_is_opened(tmp_path, smooth):
    secret = written(tmp_path / "secret.h5", u=smooth)
    smooth.tofile(tmp_path / "raw.bin")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["external"] = h5py.ExternalLink("secret.h5", "/u")
        file["soft"] = h5py.SoftLink("/external")
        file["group/u"] = h5py.ExternalLink("secret.h5", "/u")
        file["group/v"] = h5py.ExternalLink("secret.h5", "/u")
        layout = h5py.VirtualLayout((400, 2), np.float64)
        layout[:] = h5py.VirtualSource("secret.h5", "u", (400, 2))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("raw", (400, 2), np.float64, external=[("raw.bin", 0, smooth.nbytes)])
    assert secret.exists()
    for key in ("external", "soft", "group", "group/u"):
        refused(tmp_path / "a.h5", "is a link to elsewhere", key=key)
    refused(tmp_path / "a.h5", "is a link to elsewhere", key="group", channels=["u", "v"])
    for key in ("virtual", "raw"):
        refused(tmp_path / "a.h5", f"the numbers of /{key} lie in other files", key=key)


def test_links_at_the_root_do_not_stand_for_channels(tmp_path, smooth):
    written(tmp_path / "secret.h5", u=smooth[:, 0])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["u"] = h5py.ExternalLink("secret.h5", "/u")
        file["runs"] = smooth
    refused(tmp_path / "a.h5", "'u' is a link to elsewhere", channels=["u"])


def test_channels_and_times_of_other_shapes(tmp_path, smooth):
    path = written(tmp_path / "a.h5", u=smooth[:, 0], v=smooth[1:, 1], t=np.arange(399.0), runs=smooth)
    refused(path, "must be arrays .* of one shape, found {'u': .400., 'v': .399.}", channels=["u", "v"])
    refused(path, r"'t' has shape \[399\], the channels have \[400\]", channels=["u"], dt=None, time_column="t")
    refused(path, r"the times have shape \[399\]", channels=["a", "b"], key="runs", dt=None, time_column="t")
    refused(path, "times must increase", channels=["u"], dt=None, time_column="u")
    group = written(tmp_path / "b.h5", g__u=smooth, g__v=smooth[:, 0])
    refused(group, r"/g/v has shape \[400\]; each array of the group must be one trajectory", key="g")


def test_files_cut_short_or_of_another_kind(tmp_path, smooth):
    path = written(tmp_path / "a.h5", u=np.tile(smooth, (20, 1)))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:100], b"", b"nothing of the kind"):
        path.write_bytes(content)
        refused(path, r"a\.h5 cannot be read as HDF5")


def test_a_damaged_chunk_is_found_where_the_file_has_checksums(tmp_path, smooth):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("u", data=smooth, fletcher32=True, chunks=True)
    content = bytearray((tmp_path / "a.h5").read_bytes())
    content[bytes(content).index(smooth.tobytes()[:64]) + 5] ^= 1
    (tmp_path / "a.h5").write_bytes(content)
    refused(tmp_path / "a.h5", r"a\.h5 cannot be read as HDF5")


def test_a_size_that_is_only_claimed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("u", (10**9, 10**6), np.float64, chunks=(100, 100))
    refused(tmp_path / "a.h5", r"a\.h5 cannot be read as HDF5")


def test_settings_that_do_not_fit(tmp_path, smooth):
    np.save(tmp_path / "a.npy", smooth)
    refused(tmp_path / "a.npy", "inside an HDF5 file", ConfigError, key="u")
