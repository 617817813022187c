"""Cluster files: what Ray would refuse, and what a file forgot, shows here without a cluster."""

from __future__ import annotations

import copy
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
LAUNCHED = ("cluster.yaml", "clusters/on_premises.yaml", "clusters/gcp.yaml")
RULER = "# " + "-" * 94


@cache
def pinned(package: str) -> str:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)[package]


def version() -> str:
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"])


@cache
def _documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((REPOSITORY / name).read_text()))


def documents(name: str) -> list[dict[str, Any]]:
    return copy.deepcopy(_documents(name))


@cache
def prepared(name: str) -> dict[str, Any]:
    """A file as `ray up` reads it: filled up, then checked against Ray's schema."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    config: dict[str, Any] = prepare_config(documents(name)[0])
    validate_config(config)
    return config


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_accepts_the_file(name: str) -> None:
    config = prepared(name)
    assert config["head_node_type"] in config["available_node_types"]


@pytest.mark.parametrize("name", LAUNCHED)
def test_ray_would_refuse_a_mistake(name: str) -> None:
    import jsonschema
    from ray.autoscaler._private.util import validate_config

    config = copy.deepcopy(prepared(name)) | {"setup_comands": []}
    with pytest.raises(jsonschema.ValidationError):
        validate_config(config)


@pytest.mark.parametrize("name", LAUNCHED)
def test_every_node_gets_the_release_and_the_data(name: str) -> None:
    config = prepared(name)
    assert config["file_mounts"] == {"~/raynas/release": "dist/cluster"}
    for kind in ("head", "worker"):
        setup = [line for line in config[f"{kind}_setup_commands"] if "setup.sh" in line]
        assert setup == [
            'bash ~/raynas/release/setup.sh "nasbench101 --full --remove-download" cifar10'
        ]


@pytest.mark.parametrize("name", LAUNCHED)
@pytest.mark.parametrize("kind", ["head", "worker"])
def test_ray_is_stopped_and_started_as_the_node_wants_it(name: str, kind: str) -> None:
    """Token, PATH and `stop` come from the release; nothing listens for the whole world."""
    stop, start = prepared(name)[f"{kind}_start_ray_commands"]
    known = ". ~/raynas/release/environment.sh; "
    assert stop == f"{known}ray stop" and start.startswith(known)
    assert "0.0.0.0" not in start and "ray stop" not in start
    if kind == "head":
        # As else the head counts as a worker (provider local), and v2 needs more packages.
        assert "RAY_enable_autoscaler_v2=0 ray start --head " in start
        assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in start
        assert "--include-dashboard=false" in start
    else:
        assert "ray start --address=$RAY_HEAD_IP:6379" in start


def test_all_own_machines_work() -> None:
    config = prepared("clusters/on_premises.yaml")
    (machines,) = config["available_node_types"].values()
    addresses = documents("clusters/on_premises.yaml")[0]["provider"]["worker_ips"]
    assert machines["min_workers"] == machines["max_workers"] == len(addresses)
    for kind in ("head", "worker"):
        start = config[f"{kind}_start_ray_commands"][1]
        assert "--node-ip-address=$(set -- $SSH_CONNECTION; echo $3)" in start


@pytest.mark.parametrize("name", ["cluster.yaml", "clusters/gcp.yaml"])
def test_machines_in_the_cloud_come_and_go(name: str) -> None:
    worker = prepared(name)["available_node_types"]["worker"]
    assert worker["min_workers"] == 0 < worker["max_workers"] == prepared(name)["max_workers"]
    assert prepared(name)["available_node_types"]["head"]["max_workers"] == 0


def test_what_users_edit_is_above_the_ruler() -> None:
    top, _, rest = (REPOSITORY / "cluster.yaml").read_text().rpartition(RULER)
    for key in ("region:", "ssh_private_key:", "KeyName:", "InstanceType:", "max_workers:"):
        assert key in top and key not in rest


def test_kubernetes_pins_and_protects() -> None:
    cluster, policy = documents("clusters/kuberay.yaml")
    spec = cluster["spec"]
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert str(spec["rayVersion"]) == pinned("ray")
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["headGroupSpec"]["serviceType"] == "ClusterIP"
    label = {"matchLabels": {"ray.io/cluster": cluster["metadata"]["name"]}}
    assert policy["spec"]["podSelector"] == label
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": label}]}]


def test_pods_have_the_package_and_the_data() -> None:
    spec = documents("clusters/kuberay.yaml")[0]["spec"]
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        (fetch,), (ray,) = pod["initContainers"], pod["containers"]
        for container in (fetch, ray):
            assert container["image"].endswith(f"/raynas:{version()}")
            environment = {item["name"]: item["value"] for item in container["env"]}
            assert all(isinstance(value, str) for value in environment.values())
            mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
            assert environment["RAYNAS_DATA"] in mounted.values()
        assert "search_spaces.fetch nasbench101 --full" in fetch["args"][0]
        assert ray["resources"]["requests"] == ray["resources"]["limits"]
    worker = spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_the_image_pins_both() -> None:
    lines = (REPOSITORY / "clusters" / "Dockerfile").read_text()
    assert f"FROM rayproject/ray:{pinned('ray')}-py311-gpu" in lines
    assert set(re.findall(r"raynas[-:](\d+\.\d+\.\d+)", lines)) == {version()}
    assert "-c /tmp/raynas/constraints.txt" in lines
