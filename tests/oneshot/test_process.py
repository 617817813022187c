from __future__ import annotations

import os
import subprocess
import sys

import torch

from raynas.oneshot import method_names
from tests.support.searches import result, tiny_search


def test_another_process_under_another_hash_seed_agrees() -> None:
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from raynas.oneshot import method_names\n"
        "from tests.support.searches import result, tiny_search\n"
        "print(*(result(tiny_search(m, epochs=1).advance()[0]) for m in method_names()))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    torch.set_num_threads(1)
    own = [result(tiny_search(method, epochs=1).advance()[0]) for method in method_names()]
    assert done.stdout.split() == own


def test_names_are_known_without_torch() -> None:
    code = (
        "import sys, raynas.oneshot, raynas.images\n"
        "raynas.oneshot.method_names(), raynas.images.find_images('digits')\n"
        "assert not {'torch', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_supernets_and_methods_need_no_ray() -> None:
    code = (
        "import sys, pkgutil, importlib, raynas.supernet, raynas.oneshot\n"
        "for package in (raynas.supernet, raynas.oneshot):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "assert {'torch', 'raynas.oneshot.darts2'} <= set(sys.modules)\n"
        "assert 'ray' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
