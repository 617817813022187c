"""The embedded surrogate of NAS-Bench-101: fitted once, shipped as one small file.

`open_surrogate` needs numpy and pyarrow only; fitting needs the extra `surrogate`.
"""

from __future__ import annotations

from search_spaces.surrogate.cache import open_surrogate
from search_spaces.surrogate.shipped import SurrogateError

__all__ = ["SurrogateError", "open_surrogate"]
