"""PC-DARTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from raynas.oneshot._settings import GradientSettings
from raynas.oneshot.darts import Darts


@dataclass(frozen=True, kw_only=True)
class PcDartsSettings(GradientSettings):
    """Settings of PC-DARTS.

    `warm_start_epochs` stays 0, as in Zela et al. 2020; Xu et al. 2020 use 15 of 50.

    Attributes:
        partial_channels: one in this many channels passes the operations (Xu et al. 2020).
    """

    partial_channels: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            self.partial_channels >= 1 and self.channels % self.partial_channels == 0,
            "partial_channels",
            f"must divide the {self.channels} channels",
        )


class PcDarts(Darts):
    """First-order DARTS in which most channels bypass the operations.

    Xu et al., "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search",
    ICLR 2020. The network lets the first of every `partial_channels` channels through the mixed
    operation, and shuffles them with the rest. As in Zela et al. 2020, the weights of the edges,
    which every space has, are the edge normalisation.
    """

    name = "pc_darts"
    capturable = True
    settings_type = PcDartsSettings

    @staticmethod
    def network_options(settings: PcDartsSettings) -> dict[str, Any]:
        """See `OneShotMethod.network_options`."""
        return {"partial_channels": settings.partial_channels}
