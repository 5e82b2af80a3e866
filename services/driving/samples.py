"""Messages of invented residents, for a street where nobody has imported any."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One wish or problem (诉求) in a resident's words."""

    title: str
    description: str
    category_code: str


SAMPLES = (
    Sample("楼道里堆了纸箱和旧家具", "三层到五层的楼道堆满纸箱，晚上看不清路，老人上下楼不安全。", "A02"),
    Sample("院门口的垃圾好几天没人收", "院门口的垃圾桶满了，天气一热味道很大，希望尽快清运。", "A01"),
    Sample("污水从井盖里往外冒", "楼前的下水道堵了，污水漫到人行道上，已经两天。", "B01"),
    Sample("路灯不亮，晚上回家害怕", "小区东侧一排路灯都不亮，下夜班的人走这里很不方便。", "B02"),
    Sample("希望在院里装几条长椅", "老人买菜回来没有地方歇脚，希望在花坛边装几条长椅。", "B02"),
    Sample("门口总有流动摊点占道", "早晚高峰摊点占了半条路，车和行人挤在一起。", "A03"),
    Sample("电线杆上贴满小广告", "单元门和电线杆上到处是小广告，撕了又贴。", "A05"),
    Sample("楼顶有人搭了板房", "六楼住户在楼顶搭板房，下雨时顶层漏水。", "A04"),
    Sample("想在社区办一个托管班", "家长下班晚，孩子放学没人接，希望社区能办托管班。", "Z99"),
    Sample("健身器材坏了没人修", "活动场的器材断了一根杆，小孩在上面玩很危险。", "B02"),
)


def sample(number: int) -> Sample:
    """One of them, around in a circle."""
    return SAMPLES[number % len(SAMPLES)]
