"""Limits of control groups are read as the kernel writes them, of both versions, and of every group around ours."""

from pathlib import Path

from attribution.cgroup import Group, groups


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def told(folder: Path, text: str) -> Path:
    path = folder / "told"
    path.write_text(text)
    return path


def test_version_2_counts_every_group_around_and_no_files(tmp_path):
    root = tmp_path / "fs"
    group(root / "batch", memory__max="8000\n", memory__current="5000\n", memory__stat="anon 9\nactive_file 700\n")
    group(root / "batch" / "job", memory__max="max\n", memory__current="4000\n")
    found = groups(root, told(tmp_path, "0::/batch/job\n"))
    assert found == [Group(8000, 4300)]
    assert found[0].left == 3700


def test_version_1_has_a_folder_of_its_own_and_a_huge_number_for_no_limit(tmp_path):
    root = tmp_path / "fs"
    stat = "active_file 1\ntotal_active_file 100\ntotal_inactive_file 200\n"
    group(root / "memory", memory__limit_in_bytes="9223372036854771712\n", memory__usage_in_bytes="1\n")
    group(root / "memory" / "job", memory__limit_in_bytes="5000", memory__usage_in_bytes="4000", memory__stat=stat)
    assert groups(root, told(tmp_path, "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n")) == [Group(5000, 3700)]


def test_where_the_way_to_the_group_is_not_there_the_root_is_ours(tmp_path):
    root = tmp_path / "fs"
    group(root, memory__max="6000", memory__current="7000")
    assert [each.left for each in groups(root, told(tmp_path, "0::/elsewhere/ours\n"))] == [0]


def test_no_group_limits_where_nothing_is_told(tmp_path):
    assert groups(tmp_path, tmp_path / "absent") == []
    assert groups(tmp_path, told(tmp_path, "0::/\n")) == []
