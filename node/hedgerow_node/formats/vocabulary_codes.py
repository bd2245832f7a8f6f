"""Which code of which program stands for which of our tags: facts, as one short line after another.

One code may stand for different things in different programs (``A``, ``B``, ``T``, ``Y`` …), so a code means nothing
without its program. Within a program no two codes share a tag, so that types can be written back.
Source of the codes: code4recovery/12-step-meeting-list and code4recovery/spec.
"""

from typing import Final

_BY_PROGRAM: Final[dict[str, str]] = {
    "aa": """
        11 eleventh-step, 12x12 twelve-and-twelve, A secular, ABSI as-bill-sees-it, AL with-alateen, AL-AN with-al-anon,
        B big-book, BA childcare, BE newcomers, BI bisexual, BRK breakfast, C closed, CAN candlelight,
        CF child-friendly, D discussion, DB digital-basket, DD dual-diagnosis, DR daily-reflections, FF fragrance-free,
        G gay, GR grapevine, H birthdays, L lesbian, LGBTQ lgbtq, LIT literature, LS living-sober, M men,
        MED meditation, N native-american, NB non-binary, NDG indigenous, O open, OUT outdoor, P professionals,
        POA proof-of-attendance, POC people-of-color, SEN seniors, SM smoking, SP speaker, ST step-study,
        T transgender, TR traditions, W women, X wheelchair, XB accessible-bathroom, XT cross-talk, Y young-people""",
    "aca": """
        ANH new-hope, A adults-only, AV audio-visual, B book-study, BEG newcomers, POC people-of-color, CAP captions,
        CC childcare, C closed, COS concepts, D discussion, T fellowship-text, FF fragrance-free, G gay-lesbian,
        LLW laundry-lists, LGBTQ lgbtq, LPG loving-parent, M men, NS needs-support, O open, SM smoking, S speaker,
        ST step-study, SMR strengthening-my-recovery, TEEN teens, TR traditions, X wheelchair, W women, WOR workshop,
        Y yellow-workbook, YA young-adults""",
    "al-anon": """
        AC adult-child-focus, Y alateen, A atheist-agnostic, BA childcare, BE newcomers, AA with-aa, AL with-alateen,
        O open, C closed, FF fragrance-free, G gay, L lesbian, LGBTQIA lgbtq, M men, POA parents-of-alcoholics,
        POC people-of-color, SM smoking, SP speaker, ST step-study, T transgender, X wheelchair, W women,
        YA young-adults""",
    "ca": """
        11 eleventh-step, 12x12 twelve-and-twelve, ABSI as-bill-sees-it, A atheist-agnostic, BA childcare, B big-book,
        H birthdays, BRK breakfast, BUS business-meeting, CF child-friendly, C closed, CAN candlelight,
        AL-AN with-al-anon, AL with-alateen, XT cross-talk, DR daily-reflections, D discussion, DD dual-diagnosis,
        FF fragrance-free, G gay, GR grapevine, L lesbian, LIT literature, LS living-sober, LGBTQ lgbtq,
        MED meditation, M men, N native-american, BE newcomers, O open, SM smoking, SP speaker, ST step-study,
        TR traditions, T transgender, X wheelchair, W women, Y young-people""",
    "cea-how": """
        12x12 twelve-and-twelve, AACOA aa-comes-of-age, ABSI as-bill-sees-it, B big-book, BOOK book-study,
        CTB came-to-believe, CEA-HOW cea-how-concept, DR daily-reflections, HJF happy-joyous-and-free, LS living-sober,
        MAINT maintenance, MED meditation, SP speaker, PROM promises, RANDR relapse-and-recovery,
        ST steps-and-traditions, D discussion""",
    "cma": """
        C closed, LGBTQ lgbtq, LIT literature, M men, BE newcomers, O open, OUT outdoor, POC people-of-color,
        SM smoking, SP speaker, ST step-study, T transgender, W women, Y young-people, X wheelchair,
        XB accessible-bathroom""",
    "coda": """
        A atheist-agnostic, BA childcare, BE newcomers, B book-study, CF child-friendly, H chips, C closed,
        CAN candlelight, AL-AN with-al-anon, AL with-alateen, XT cross-talk, DLY daily, FF fragrance-free, G gay,
        GR grapevine, L lesbian, LIT literature, LGBTQ lgbtq, MED meditation, M men, O open, QA questions,
        READ reading, SHARE sharing, SM smoking, SP speaker, ST step-study, TEEN teens, D discussion, TR traditions,
        T transgender, X wheelchair, W women, WRITE writing, Y young-people""",
    "da": """
        AB abundance, AR artists, B business-owners, C closed, CL clutter, M men, N numbers, O open, P prosperity,
        SP speaker, ST step-study, TI time, TO toolkit, V vision, X wheelchair, W women""",
    "daa": """
        12x12 twelve-and-twelve, BA childcare, B big-book, C closed, D discussion, M men, O open, ST step-study,
        SS step-speaker, W women, YP young-people""",
    "eda": """
        11 eleventh-step, 12x12 twelve-and-twelve, BA childcare, BEG newcomers, B big-book, CC chairs-choice,
        CF child-friendly, C closed, NDG indigenous, LIT literature, LGBTQ lgbtq, MED meditation, M men, O open,
        OUT outdoor, POC people-of-color, RF rotating, A secular, SEN seniors, SP speaker, ST step-study, TO topic,
        TR traditions, T transgender, X wheelchair, XB accessible-bathroom, W women, WR writing, Y young-people""",
    "ga": """
        20 twenty-questions, BA childcare, B big-book, CAN candlelight, CF child-friendly, C closed, GAA with-gam-anon,
        COM comments, CRC cross-comment, DR daily-reflections, D discussion, GAM gam-anon, LIT literature, LGBTQ lgbtq,
        MED meditation, M men, BE newcomers, O open, PAR parking-meters, SM smoking, SP speaker, ST step-study,
        TOP topic, TR traditions, X wheelchair, W women, Y young-people""",
    "ma": """
        BB book-study, BE newcomers, CCAP captions, D discussion, H chips, M men, MED meditation, NB non-binary, O open,
        OUT outdoor, POC people-of-color, SP speaker, T transgender, W women, X wheelchair, Y young-people,
        LGBTQI+ lgbtq""",
    "na": """
        CPT twelve-concepts, BT basic-text, BEG newcomers, CAN candlelight, CW child-friendly, C closed,
        DISC discussion, GL gay-lesbian, IP pamphlets, IW it-works, JFT just-for-today, LIT literature,
        LC living-clean, M men, MED meditation, NS non-smoking, O open, QA questions, RA restricted-access,
        SMOK smoking, SPAD spiritual-principle, SPK speaker, STEP step-study, SWG step-working-guides, TOP topic,
        TRAD traditions, VAR varies, X wheelchair, W women, Y young-people""",
    "oa": """
        11TH eleventh-step, 90D ninety-day, AA12 twelve-and-twelve, AIB ask-it-basket, B big-book,
        DOC dignity-of-choice, FT for-today, LI lifeline, LIS lifeline-sampler, LIT literature, MAIN maintenance,
        MED meditation, NEWB new-beginnings, BE newcomers, HOW how, OA23 oa-second-third-edition,
        ST steps-and-traditions, RELA relapse, SSP spiritual-path, SP speaker, SD speaker-discussion,
        SPIR spirituality, TEEN teens, PROM promises, TOOL tools, D topic, MISC varies, VOR voices-of-recovery,
        WORK workbook, WRIT writing""",
    "pal": "",
    "rca": "C closed, O open, SP speaker",
    "rd": """
        BE newcomers, BB book-study, CC childcare, C closed, DF dog-friendly, 8F eightfold-path, IS inquiry-study,
        IW inquiry-writing, LGBTQ lgbtq, M men, MI mindfulness, O open, PR process-addictions, WA wheelchair,
        W women""",
    "rr": """
        BE newcomers, BB book-study, CC childcare, C closed, DF dog-friendly, 8F eightfold-path, IS inventory-study,
        IW inventory-writing, LGBTQ lgbtq, M men, MI mindfulness, O open, PR process-addictions, WA wheelchair,
        W women""",
    "sa": """
        BE newcomers, B book-study, C closed, MED meditation, M men, MI mixed, O open, PP primary-purpose, SP speaker,
        ST step-study, W women""",
    "saa": "C closed, M men, O open, ST step-study, LGBTQ lgbtq, W women",
    "sca": """
        BE newcomers, H chips, C closed, COURT court, D discussion, GL graphic-language, O open, SP speaker,
        ST step-study""",
    "sg": "",
    "sia": """
        12x12 twelve-and-twelve, B big-book, C closed, FF fragrance-free, GQ genderqueer, NDG indigenous, LGBTQ lgbtq,
        LIT literature, M men, N native-american, BE newcomers, O open, OSH open-share, POC people-of-color,
        RIT ritual-abuse, SP speaker, ST step-study, STW steps-workshop, T transgender, X wheelchair,
        XB accessible-bathroom, W women""",
    "slaa": """
        12x12 framework-for-living, ALLG all-genders, AN anorexia, ASOG state-of-grace, POA proof-of-attendance,
        BDSM bdsm, B book-study, CAM camera-on, BA childcare, H chips, C closed, XT cross-talk, FTSY fantasy,
        GC getting-current, X wheelchair, HOW how, HR healthy-relationships, LEG legal-consequences, LGBTQ lgbtq,
        LIT literature, MED meditation, M men, MULT multiple-addictions, NEUR neurodivergent, NC newcomers,
        FF fragrance-free, O open, POC people-of-color, PRI prison, SCRE screened, A secular, SEN seniors,
        SWKR sex-workers, SP speaker, SPEC special-interest, SPON sponsorship, ST step-study, S123 steps-one-to-three,
        D discussion, TOPL top-lines, TR traditions, TRMA trauma-focus, VFOR varies, WDRL withdrawal, W women,
        Y young-people""",
    "ua": "BIPOC people-of-color, M men, ST step-study, T tools, W women",
    "va": "12x12 twelve-and-twelve, C closed, BE newcomers, O open",
}

_COMMON: Final = """
    BA childcare, BE newcomers, BV-I blind-or-low-vision, C closed, CF child-friendly, D discussion,
    D-HOH deaf-or-hard-of-hearing, FF fragrance-free, LGBTQ lgbtq, LIT literature, LO-I loners, M men, MED meditation,
    NB non-binary, NDG indigenous, O open, OUT outdoor, POC people-of-color, SEN seniors, SM smoking,
    TC in-person-closed, W women, X wheelchair, XB accessible-bathroom, XT cross-talk"""


def _read(lines: str) -> dict[str, str]:
    return dict(pair.split() for pair in lines.split(",") if pair.strip())


PROGRAM_TYPE_CODES: Final[dict[str, dict[str, str]]] = {
    **{program: _read(lines) for program, lines in _BY_PROGRAM.items()},
    "ha": {code: tag for code, tag in _read(_BY_PROGRAM["na"]).items() if code != "SPAD"},
}
"""Program → code → tag (or ``open``/``closed``)."""

COMMON_TYPE_CODES: Final[dict[str, str]] = _read(_COMMON)
"""Codes of the specification that mean one thing wherever they are used, for programs that do not list them."""

DERIVED_TYPE_CODES: Final = frozenset({"ONL"})
"""Codes that tools add from other fields; they say nothing of their own and are not trusted."""
