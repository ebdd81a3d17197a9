"""Messages arriving: one consumer for each topic, each storing effects and offset in one commit."""

from services.alerts.consumer.episodes import EPISODES_READER, EpisodesConsumer
from services.alerts.consumer.risk import RiskConsumer, RiskWatch
from services.alerts.consumer.statistics import StatisticsConsumer

__all__ = [
    "EPISODES_READER",
    "EpisodesConsumer",
    "RiskConsumer",
    "RiskWatch",
    "StatisticsConsumer",
]
