"""Word lists of the detectors, in the languages real listings use. All in lower case."""

from typing import Final


def words_of(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_SECRET_LABELS: Final = (
    # English, with the usual slips of the finger
    r"pas{1,3}\s?-?(?:w(?:or|ro|o)?d|wrd|code|key|phrase)s?|passowrd|p/w|p\.w\.|pw[do]?|psw[d]?|pin\s?(?:code|number|no|#)",
    r"(?:access|participant|attendee|security|entry|door|gate|guest|conference|meeting|meet|room|lock|key|"
    r"buzzer|host|login|"
    r"log-in|entrance|call-?in|dial-?in|phone|zoom|moderator|waiting room)\s?(?:pass)?\s?-?(?:code|pin|key)s?",
    # Romance languages
    r"contrase[nñ]as?|clave(?:\sde\s(?:acceso|la\sreuni[oó]n))?|c[oó]digo\sde\s(?:acceso|entrada|la\sreuni[oó]n|"
    r"seguridad)",
    r"palavra-passe|senha|mots?\sde\spasse|mdp|code\s(?:d['’]acc[eè]s|secret|d['’]entr[ée]e|confidentiel)",
    r"codice\s(?:di\s)?(?:accesso|riunione|d['’]accesso)|parola\sd['’]ordine|parol[aă](?:\sde\sacces)?|contrasenya",
    # Germanic
    r"(?:zoom-?|meeting-?)?(?:passwort|kennwort|kenncode|zugangscode|zugangspin|einwahlcode|zutrittscode|t[uü]rcode)",
    r"wachtwoord|toegangscode|l[oö]senord|[åa]tkomstkod|adgangskode|kodeord|passord|tilgangskode|lykilor[dð]|"
    r"salas[oaõ]na",
    # Slavic, Baltic, Finnic, Hungarian, Turkish, Greek, Vietnamese, Malay
    r"has[lł]o|kod\s(?:dost[eę]pu|wej[sś]cia)|heslo|lozinka|geslo|[sš]ifra|slapta[zž]odis|parole|parool|jelsz[oó]",
    r"[sş]ifre(?:si)?|пароль|парола|лозинка|код\sдоступ[ау]|код\sдоступа|κωδικός(?:\sπρόσβασης)?|mật\skhẩu|"
    r"kata\s(?:sandi|laluan)",
)
SECRET_LABELS: Final = "|".join(_SECRET_LABELS)
"""Words that are followed by a secret (a pattern)."""

LABELS_UNSPACED: Final = (
    r"密码|密碼|口令|パスワード|パスコード|暗証番号|비밀번호|암호|패스코드|รหัสผ่าน|पासवर्ड|"
    r"סיסמה|סיסמא|كلمة\s(?:المرور|السر)|الرقم\sالسري|رمز\s(?:عبور|الدخول|المرور)|گذرواژه"
)
"""The same in scripts that write words without spaces, or put prefixes on them."""

WEAK_LABELS: Final = r"pass|pin|code|c[oó]digo|codice|kod|кód|код"
"""Words that may be followed by a secret, and often are not: a number must follow."""

SECRET_STEMS: Final = (
    "pas", "p/w", "p.w", "pw", "psw", "pin", "cod", "cód", "key", "contrase", "clave", "senha", "mdp", "parol", "wort",
    "kenn", "wachtw", "toegang", "senord", "kod", "adgang", "lykil", "salas", "has", "heslo", "lozinka", "geslo",
    "ifr", "slapta", "jelsz", "парол", "лозинка", "код", "κωδικ", "khẩu", "kata", "密", "口令", "パス",
    "暗証", "비밀", "암호",
    "패스", "รหัส", "पासव", "סיסמ", "كلم", "السري", "رمز", "گذر",
)  # fmt: skip
"""One of these stands in every text that holds a label: a quick look before the slow one."""

NOT_A_SECRET: Final = words_of(
    """
    no not none nil n/a na n without any is are isn't isnt was be been being needed need needs required requires
    require requirement necessary mandatory optional protected protect protection protecting free less enabled
    disabled embedded included includes active on off in at by to for from of and or if as via with will can may
    must shall should you we our your their his her its it this that these those the a an ask asking email e-mail
    mail call text phone contact message dm pm write please see look check visit click use enter same available
    availability provided given sent send shared share posted listed found announced upon request requests requested
    requesting info information details detail below above here there website site page calendar web change changes
    changed changing updated update new old only also but so then when where which who how what before after during
    until each every all everyone secretary host hosts chair chairperson facilitator leader member members contact's
    office intergroup helpline tbd tba tbc ? unknown unchanged private confidential secret hidden withheld work
    works working access login log link links id zoom meeting meetings room join entry open closed problem problems
    issues issue set reset saved case sensitive blank get obtain obtained receive received register registration
    registered ninguna ninguno no-requerida requerida requerido necesaria necesario hace falta sin con para por
    pedir pida pide solicitar solicite consultar consulte contacte contactar escribir escriba llamar llame enviar
    correo disponible preguntar pregunte es se de del la el los las en y o si su aucun aucune requis requise
    nécessaire sur demande demander demandez contacter contactez écrire écrivez voir pas du des le les un une est et
    ou à par pour avec sans kein keine keins ohne nötig notwendig erforderlich benötigt auf anfrage anfragen bitte
    per bei erfragen siehe wird ist der die das dem den und oder nicht nach über mit von zum zur im erhalten
    erhältlich geen nodig vereist verplicht opvragen aanvragen bij niet op een het nessuna nessuno richiesta
    richiesto necessaria chiedere contattare scrivere non brak wymagane potrzebne niepotrzebne zapytaj proszę napisz
    nie do inget ingen krävs behövs fråga kontakta ikke nødvendig kreves fås hos ved nenhuma necessária peça não sem
    нет не нужен требуется по запросу 无 無 なし 없음
    """
)
"""What may follow such a word without being a secret."""

NOT_A_CODE_BEFORE: Final = words_of(
    """
    zip area post postal postcode country dress qr bar honor honour color colour promo discount coupon source type
    format building district city state group meeting's course event registry currency language iso morse penal
    criminal civil tax lapel enamel hair clothes rolling bowling safety safe bowl bus boarding day hall free monthly
    month season youth mountain postal-code código codigo
    """
)
"""Words before "code", "pin" or "pass" that make it another thing."""

NOT_A_NAME: Final = words_of(
    """
    central office intergroup county city town area region regional district service services helpline hotline line
    teleservice answering committee council church parish temple center centre community library hospital school
    college university hall club clubhouse house home group groups meeting meetings zoom google skype teams meet
    online phone telephone number mobile cell tel fax call text email e-mail mail message website web page site
    facebook whatsapp signal telegram slack discord conference dial in at on to for from before after with without
    about and or of the a an us we our me my your you i it this that these those all any every each more info
    information details questions help please thanks thank contact host hosts co-host secretary treasurer chair
    chairperson leader facilitator facilitators speaker sponsor sponsors newcomer newcomers member members trusted
    servant servants gsr manager coordinator coordinators director pastor rector minister father rev reverend sister
    brother dr doctor mr mrs ms miss st saint san santa los las la el le les der die das big book step steps
    tradition traditions serenity prayer daily reflections living sober experience strength hope higher power just
    today recovery alcoholics anonymous al-anon alanon alateen aa na oa ga ca cma coda aca slaa sunday monday
    tuesday wednesday thursday friday saturday january february march april may june july august september october
    november december jan feb mar apr jun jul aug sep sept oct nov dec am pm noon midnight men women mens womens
    men's women's young people ladies beginners beginner open closed discussion study speakers business hybrid
    virtual person in-person id password passcode code pin link room suite floor building street road avenue ave
    blvd drive north south east west upper lower main front rear back side door entrance parking lot elevator stairs
    basement first second third fourth fifth last next new old end user support technical tech desk reception
    front-desk team staff crew board trustees district-wide national international world united states kingdom
    america british english spanish french german espanol español friend friends family families parent parents
    child children survivors survivor loss grief suicide bereavement cancer care carers society association
    foundation trust charity network project program programme hospice clinic health mental nhs red cross salvation
    army ymca ywca wheelchair accessible access no not only yes also if when while how what where who why come join
    register registration ask see visit click go use enter email/text am/pm dial-in one tap two three four five six
    seven eight nine ten hour hours outreach volunteer volunteers president vice chairman host's meeting's zoom's
    someone anyone somebody anybody everyone bring peer peers worker workers counsellor counselor therapist nurse
    doctor's intergroup's webmaster administrator admin editor alternate literature greeter coffee maker
    """
)
"""Capitalised words that are not somebody's name."""

PUBLIC_PHONE: Final = (
    r"help\s?-?line|hot\s?-?line|warm\s?-?line|crisis|emergenc|office|inter\s?group|central\s(?:service|office)|dial|"
    r"conf(?:erence|\.)?\s(?:call|line|number|phone)|conference|tele\s?-?conference|phone\s(?:meeting|bridge|"
    r"conference)|bridge|"
    r"one[\s-]?tap|onetap|call(?:ing)?[\s-]?in\b|phon(?:e|ing)[\s-]?in\b|by (?:tele)?phone|via (?:tele)?phone|"
    r"(?:tele)?phone\sonly|tele?phone meeting|toll|toll-free|freephone|24/7|24[\s-]hours?|answering|tele\s?-?service|"
    r"reception|front desk|switchboard|main number|national|info-?\s?line|info\s?phone|infotelefon|samaritans|"
    r"access number|local number|join (?:the )?(?:zoom |meeting |call )?(?:by|via|at|:)|join by|audio|find your local|"
    r"text\s['\"‘“]?\w{2,12}['\"’”]?\sto|sms\s['\"‘“]?\w{2,12}['\"’”]?\sto|message and data|\bfax\b|ttys?\b|"
    r"tdd\b|relay\b|"
    r"einwahl|notruf|notfall|krisen|telefonseelsorge|geschäftsstelle|büro|sekretariat|gemeindebüro|telefonkonferenz|"
    r"l[ií]nea\s(?:de\s)?(?:ayuda|informaci[oó]n|directa|de\scrisis)|oficina|marcar|marque|llamada\sen\sconferencia|"
    r"n[uú]mero\sde\sacceso|emergencia|permanence|num[ée]ro\svert|accueil|secr[ée]tariat|urgence|"
    r"conf[ée]rence\st[ée]l|"
    r"hulplijn|kantoor|infolijn|centralino|numero\sverde|linea\sd['’]ascolto|infolinia|telefon\szaufania|biuro|"
    r"hj[äe]lptelefon|"
    r"jourtelefon|kansli|linha\s(?:de\s)?(?:ajuda|apoio)|escrit[oó]rio|горячая\sлиния|телефон\sдоверия|офис"
)
"""Words near a number that is meant for everybody (a pattern)."""

VENUE_PHONE: Final = (
    r"church|parish|library|hospital|clinic|cent(?:er|re)|school|college|university|hotel|venue|hospice|foundation|"
    r"association|charity|society"
)
"""Words straight before a number that is a place's or a body's own (a pattern)."""

PRIVATE_PHONE: Final = (
    r"text or call|call or text|text\b|whats?\s?app|signal|cell|mobile|home (?:phone|number)|\bask for\b|contact|"
    r"call\b|phone\b|ring\b|reach|speak (?:to|with)|tel\b|ph\b|telephone|handy|mobil|m[oó]vil|celular|llamar|llame|"
    r"appeler|appelez|t[ée]l(?:[ée]phone)?|portable|anrufen|rufnummer|telefon|bellen|mobiel|cellulare|telefono|"
    r"teléfono|"
    r"kom[oó]rk|zadzwo|tlf|puhelin|ligar|telem[oó]vel|тел|телефон|звон|電話|电话|전화|sms"
)
"""Words that make a short or unusual row of digits a telephone number (a pattern)."""
