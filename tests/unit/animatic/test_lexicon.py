"""The lexicon: which words of a prompt are understood, in four languages, and which must not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.animatic.lexicon import Figure, mentions, read
from understudy.animatic.lexicon.tables import language
from understudy.animatic.scene.effects import EFFECTS
from understudy.animatic.scene.figures import KINDS
from understudy.animatic.storyboard import Light, Move, Season, Setting, View, Weather


def names(text: str) -> list[str]:
    return [figure.name for figure in read(text).figures]


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("a calm ocean", Setting.SEA),
        ("footprints on the beach", Setting.BEACH),
        ("mist over the lakes", Setting.LAKE),
        ("the skyline of a city", Setting.CITY),
        ("a narrow street", Setting.STREET),
        ("deep in the woods", Setting.FOREST),
        ("snowy mountains", Setting.MOUNTAINS),
        ("endless dunes", Setting.DESERT),
        ("a wheat field", Setting.FIELD),
        ("high above the clouds", Setting.SKY),
        ("lost in outer space", Setting.SPACE),
        ("a colony on Mars", Setting.PLANET),
        ("underwater ruins", Setting.UNDERWATER),
        ("an old library", Setting.INTERIOR),
        ("大海上的日出", Setting.SEA),
        ("沙灘上的腳印", Setting.BEACH),
        ("湖面平静", Setting.LAKE),
        ("城市天际线", Setting.CITY),
        ("雨中的街道", Setting.STREET),
        ("竹林深处", Setting.FOREST),
        ("远处的山", Setting.MOUNTAINS),
        ("無盡的沙漠", Setting.DESERT),
        ("金色的麦田", Setting.FIELD),
        ("云海之上", Setting.SKY),
        ("太空中漂流", Setting.SPACE),
        ("火星基地", Setting.PLANET),
        ("海底的珊瑚", Setting.UNDERWATER),
        ("安静的咖啡馆", Setting.INTERIOR),
        ("穏やかな海", Setting.SEA),
        ("夕方の砂浜", Setting.BEACH),
        ("静かな湖", Setting.LAKE),
        ("夜の東京", Setting.CITY),
        ("渋谷の交差点", Setting.STREET),
        ("深い森", Setting.FOREST),
        ("富士山の朝", Setting.MOUNTAINS),
        ("広い砂漠", Setting.DESERT),
        ("緑の草原", Setting.FIELD),
        ("雲の上を飛ぶ", Setting.SKY),
        ("宇宙を漂う", Setting.SPACE),
        ("月面を歩く", Setting.PLANET),
        ("海の中の世界", Setting.UNDERWATER),
        ("古い図書館で", Setting.INTERIOR),
        ("푸른 바다", Setting.SEA),
        ("해변을 걷다", Setting.BEACH),
        ("호수에 비친 달", Setting.LAKE),
        ("서울의 밤", Setting.CITY),
        ("골목길에서", Setting.STREET),
        ("숲에서", Setting.FOREST),
        ("산을 오르다", Setting.MOUNTAINS),
        ("사막의 낙타", Setting.DESERT),
        ("초원을 달리다", Setting.FIELD),
        ("구름 위를 날다", Setting.SKY),
        ("우주를 여행하다", Setting.SPACE),
        ("화성 탐사", Setting.PLANET),
        ("바닷속 산호", Setting.UNDERWATER),
        ("조용한 카페에서", Setting.INTERIOR),
    ],
)
def test_words_name_settings(text: str, setting: Setting) -> None:
    assert read(text).setting is setting


@pytest.mark.parametrize(
    ("text", "light"),
    [
        ("at sunrise", Light.DAWN),
        ("a sunny afternoon", Light.DAY),
        ("golden hour", Light.SUNSET),
        ("the blue hour", Light.DUSK),
        ("under the stars", Light.NIGHT),
        ("neon signs at night", Light.NEON),
        ("清晨", Light.DAWN),
        ("夕阳下", Light.SUNSET),
        ("黄昏", Light.DUSK),
        ("星空下", Light.NIGHT),
        ("霓虹燈", Light.NEON),
        ("夜明けの空", Light.DAWN),
        ("夕焼け", Light.SUNSET),
        ("満月", Light.NIGHT),
        ("ネオンの街", Light.NEON),
        ("새벽에", Light.DAWN),
        ("노을이 지는", Light.SUNSET),
        ("밤에", Light.NIGHT),
        ("네온사인", Light.NEON),
    ],
)
def test_words_name_the_hour(text: str, light: Light) -> None:
    assert read(text).light is light


@pytest.mark.parametrize(
    ("text", "weather"),
    [
        ("it is raining", Weather.RAIN),
        ("thunder and rain", Weather.STORM),
        ("snow falls", Weather.SNOW),
        ("a foggy morning", Weather.FOG),
        ("an overcast day", Weather.CLOUDY),
        ("下雨的夜晚", Weather.RAIN),
        ("暴風雨", Weather.STORM),
        ("下雪了", Weather.SNOW),
        ("薄雾", Weather.FOG),
        ("雨の日", Weather.RAIN),
        ("嵐が来る", Weather.STORM),
        ("雪が降る", Weather.SNOW),
        ("霧の中", Weather.FOG),
        ("비가 온다", Weather.RAIN),
        ("눈이 내린다", Weather.SNOW),
        ("안개가 낀", Weather.FOG),
    ],
)
def test_words_name_the_weather(text: str, weather: Weather) -> None:
    assert read(text).weather is weather


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("slow push-in on a door", Move.PUSH_IN),
        ("the camera pulls back", Move.PULL_OUT),
        ("pan left across the room", Move.PAN_LEFT),
        ("a tracking shot", Move.PAN_RIGHT),
        ("tilt up to the sky", Move.TILT_UP),
        ("drone shot of a coast", Move.AERIAL),
        ("handheld documentary", Move.HANDHELD),
        ("static shot", Move.STILL),
        ("航拍雪山", Move.AERIAL),
        ("镜头拉远", Move.PULL_OUT),
        ("ズームイン", Move.PUSH_IN),
        ("空撮", Move.AERIAL),
        ("드론으로 본 산", Move.AERIAL),
        ("줌인", Move.PUSH_IN),
    ],
)
def test_words_name_camera_moves(text: str, move: Move) -> None:
    assert read(text).move is move


@pytest.mark.parametrize(
    ("text", "season"),
    [
        ("autumn leaves", Season.AUTUMN),
        ("春天的花", Season.SPRING),
        ("冬の朝", Season.WINTER),
        ("가을 숲", Season.AUTUMN),
    ],
)
def test_words_name_the_season(text: str, season: Season) -> None:
    assert read(text).season is season


@pytest.mark.parametrize(
    ("text", "view"), [("close-up of a face", View.DETAIL), ("远景", View.WIDE), ("クローズアップ", View.DETAIL)]
)
def test_words_name_the_view(text: str, view: View) -> None:
    assert read(text).view is view


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("two cats", "cat"),
        ("the lighthouse", "lighthouse"),
        ("wolves howl", "wolf"),
        ("butterflies", "butterfly"),
        ("the man's hat", "person"),
        ("hot-air balloons", "balloon"),
        ("northern lights", "aurora"),
        ("一只猫", "cat"),
        ("機器人", "robot"),
        ("热气球", "balloon"),
        ("宇航员", "astronaut"),
        ("柴犬が走る", "dog"),
        ("灯台の光", "lighthouse"),
        ("宇宙飛行士", "astronaut"),
        ("고양이가", "cat"),
        ("말을 타고", "horse"),
        ("등대에서", "lighthouse"),
    ],
)
def test_words_name_figures(text: str, figure: str) -> None:
    assert figure in names(text)


@pytest.mark.parametrize("code", ["en", "zh", "ja", "ko"])
def test_every_value_of_every_word_list_can_be_used(code: str) -> None:
    usable: dict[str, set[str]] = {
        "setting": {setting.value for setting in Setting},
        "weak_setting": {setting.value for setting in Setting},
        "light": {light.value for light in Light},
        "weather": {weather.value for weather in Weather},
        "season": {season.value for season in Season},
        "move": {move.value for move in Move},
        "view": {view.value for view in View},
        "figure": {*KINDS, *EFFECTS},
    }

    for phrase, meanings in language(code).words.items():
        for kind, value in meanings:
            assert kind not in usable or value.partition("/")[0] in usable[kind], phrase


def test_a_street_has_no_tree_in_it() -> None:
    assert names("an empty street") == []
    assert read("an empty street").setting is Setting.STREET


def test_a_spaceship_is_no_boat() -> None:
    assert names("a spaceship") == ["spaceship"]


@pytest.mark.parametrize("text", ["雪山", "snowy mountains", "a snow-capped mountain", "눈 덮인 산"])
def test_a_snowy_mountain_is_a_place_and_not_falling_snow(text: str) -> None:
    reading = read(text)

    assert reading.setting is Setting.MOUNTAINS
    assert reading.weather is None


def test_a_pine_wood_is_a_forest() -> None:
    assert read("松林").setting is Setting.FOREST


@pytest.mark.parametrize(
    "text",
    [
        "Seattle",
        "carpet",
        "brainstorm",
        "raincoat",
        "understand",
        "a scarf and a cartoon",
        "catalog of dogma",
        "hot dogs",
        "马上就来",
        "山东",
        "大人",
        "새로운 준비",
        "차가운 눈물",
    ],
)
def test_words_inside_other_words_are_not_read(text: str) -> None:
    assert read(text).empty


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a quiet street with no rain", "weather"),
        ("a street without any people", "figure"),
        ("no people or cars on the road", "figure"),
        ("a sky that is not cloudy", "weather"),
        ("没有雨的街道", "weather"),
        ("没有人的海滩", "figure"),
        ("人のいない森", "figure"),
        ("雨のない街", "weather"),
        ("사람 없는 해변", "figure"),
    ],
)
def test_what_is_negated_is_left_out(text: str, kind: str) -> None:
    assert kind not in {mention.kind for mention in mentions(text)}


def test_the_first_place_that_is_named_decides() -> None:
    assert read("a beach below a city").setting is Setting.BEACH
    assert read("a city above a beach").setting is Setting.CITY


def test_a_word_that_fits_many_places_gives_way_to_one_that_fits_few() -> None:
    reading = read("a wide sky over the desert")

    assert reading.setting is Setting.DESERT
    assert reading.part is Setting.SKY


def test_the_longest_phrase_is_taken() -> None:
    assert read("a cruise ship").figures == (Figure("ship"),)
    assert read("飞机").figures == (Figure("airplane"),)
    assert read("비행기가").figures == (Figure("airplane"),)


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("a bright red sports car", Figure("car", "red")),
        ("a black cat", Figure("cat", "black")),
        ("一只白猫", Figure("cat", "white")),
        ("红色的汽车", Figure("car", "red")),
        ("赤い風船", Figure("balloon", "red")),
        ("하얀 말이", Figure("horse", "white")),
        ("a polar bear", Figure("bear", "white")),
        ("a car", Figure("car")),
    ],
)
def test_a_color_belongs_to_the_figure_after_it(text: str, figure: Figure) -> None:
    assert figure in read(text).figures


def test_full_width_and_capital_letters_are_read_like_small_ones() -> None:
    assert read("\uff2f\uff23\uff25\uff21\uff2e at SUNSET") == read("ocean at sunset")


def test_slow_motion_is_noticed() -> None:
    assert read("a horse in slow motion").slow
    assert read("慢动作").slow
    assert not read("a horse").slow


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    places = [mention.at for mention in mentions(text)]

    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("雪山下的湖泊", Setting.LAKE),
        ("a rainy New York street", Setting.STREET),
        ("the ocean seen from a beach", Setting.BEACH),
    ],
)
def test_of_two_places_the_one_that_shows_both_is_taken(text: str, setting: Setting) -> None:
    assert read(text).setting is setting
