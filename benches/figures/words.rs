//! The words the measured feeds are made of. Invented; no newspaper said any of it.

/// One language's share of the feeds and what its papers write.
pub(crate) struct Language {
    pub(crate) code: &'static str,
    /// Of the sum of all weights.
    pub(crate) weight: u32,
    pub(crate) paper: &'static str,
    pub(crate) places: &'static [&'static str],
    pub(crate) names: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    /// Sentences of a story about conflict; `{place}`, `{name}` and `{n}` are filled in.
    pub(crate) conflict: &'static [&'static str],
    /// Sentences of any other story.
    pub(crate) other: &'static [&'static str],
}

/// Half English, the rest in five languages and two more scripts.
pub(crate) static LANGUAGES: [Language; 6] = [ENGLISH, SPANISH, FRENCH, RUSSIAN, UKRAINIAN, ARABIC];

const ENGLISH: Language = Language {
    code: "en",
    weight: 5,
    paper: "The Harbour Courier",
    places: &["Marazhal", "Port Ennis", "Tolvany", "Qasr Idran", "the northern district", "Kessia"],
    names: &["Mara Ellison", "Daud Rahimi", "Colonel Petrov", "Ines Calder", "Governor Osei"],
    categories: &["World", "Politics", "Business", "Science", "Culture", "Sport"],
    conflict: &[
        "At least {n} people were killed and {n} wounded when an air strike hit a market in {place}, the governor said.",
        "Heavy shelling was reported overnight in {place}, where residents sheltered in cellars without power.",
        "A drone strike destroyed a fuel depot near {place}, according to two officials who asked not to be named.",
        "Negotiators for both sides agreed to a ceasefire of {n} days around {place}, mediators announced on Tuesday.",
        "Gunmen ambushed an army convoy on the road to {place}, killing {n} soldiers, {name} told reporters.",
        "Police fired tear gas at protesters who had gathered outside the parliament in {place} for a third night.",
        "The ministry said {n} civilians had been displaced from {place} since clashes between rival militias began.",
        "Rebels released {n} prisoners of war in an exchange brokered by neighbouring states.",
        "A landmine left from the last war exploded on a farm outside {place}, wounding {n} labourers.",
        "{name} denied that government troops had shelled the hospital in {place}.",
        "The council voted to extend the arms embargo on {place} for another {n} months.",
        "Aid workers said {n} families had fled {place} on foot as fighting drew closer to the river.",
    ],
    other: &[
        "The city council of {place} approved a budget that adds {n} buses and repairs two bridges before winter.",
        "{name}, who has led the orchestra for {n} years, said the new hall would open in the spring.",
        "Shares in the shipping company fell by {n} per cent after it warned of lower profits.",
        "Researchers in {place} described a method that finds leaks in water pipes with {n} small microphones.",
        "The home side won by {n} points after a slow first half, and the coach praised the defence.",
        "Heavy rain is expected in {place} until Thursday, and the weather service has warned of floods.",
        "A court in {place} heard {n} witnesses in a case about the sale of the old harbour.",
        "The museum will show {n} drawings that were thought lost, many of them never seen in public.",
        "Farmers near {place} say that the price of seed has doubled within {n} months.",
        "{name} told the committee that the railway would run on time if anybody measured it.",
        "Doctors in {place} reported {n} cases of measles this week and asked parents to check their records.",
        "The minister opened a school for {n} pupils and promised a second one next year.",
        "The union and the port authority will meet again on Monday to discuss pay and {n} night shifts.",
        "A startup in {place} has raised money to build batteries from sand, and hired {n} engineers.",
    ],
};

const SPANISH: Language = Language {
    code: "es",
    weight: 1,
    paper: "El Faro de la Costa",
    places: &["Villaseca", "Puerto Claro", "San Telmo", "la frontera norte"],
    names: &["Lucía Ferrer", "el general Ordóñez", "Tomás Aguilar"],
    categories: &["Mundo", "Economía", "Cultura", "Deportes"],
    conflict: &[
        "Al menos {n} personas murieron y {n} resultaron heridas en un bombardeo contra un mercado de {place}.",
        "Los combates entre el ejército y los rebeldes se acercaron a {place}, donde viven {n} mil habitantes.",
        "Las partes acordaron un alto el fuego de {n} días, según informó {name}.",
        "La policía dispersó con gases lacrimógenos a los manifestantes reunidos en {place}.",
        "Un coche bomba explotó frente a una comisaría de {place} y dejó {n} heridos.",
    ],
    other: &[
        "El ayuntamiento de {place} aprobó un presupuesto que incluye {n} autobuses nuevos.",
        "{name} presentó una novela que tardó {n} años en escribir.",
        "Las lluvias continuarán en {place} hasta el jueves, según el servicio meteorológico.",
        "El equipo local ganó por {n} puntos después de un primer tiempo lento.",
        "Los agricultores de {place} piden ayudas tras {n} meses sin lluvia.",
        "El museo mostrará {n} dibujos que se creían perdidos.",
    ],
};

const FRENCH: Language = Language {
    code: "fr",
    weight: 1,
    paper: "Le Courrier du Port",
    places: &["Montclair", "Saint-Aubin", "la vallée de l'Orme", "Port-Vert"],
    names: &["Élise Garnier", "le colonel Diallo", "Hervé Lacombe"],
    categories: &["Monde", "Économie", "Culture", "Sports"],
    conflict: &[
        "Une frappe aérienne a tué au moins {n} personnes et en a blessé {n} près de {place}.",
        "Des affrontements entre l'armée et des rebelles ont éclaté à {place} dans la nuit.",
        "Les deux camps ont signé un cessez-le-feu de {n} jours, a annoncé {name}.",
        "La police a dispersé les manifestants rassemblés à {place} avec du gaz lacrymogène.",
        "Des hommes armés ont enlevé {n} villageois sur la route de {place}.",
    ],
    other: &[
        "Le conseil municipal de {place} a voté un budget qui prévoit {n} nouveaux bus.",
        "{name} dirige l'orchestre depuis {n} ans et quittera son poste au printemps.",
        "De fortes pluies sont attendues à {place} jusqu'à jeudi.",
        "L'équipe locale s'est imposée de {n} points après une première mi-temps hésitante.",
        "Le musée exposera {n} dessins que l'on croyait perdus.",
        "Le prix des semences a doublé en {n} mois, disent les agriculteurs de {place}.",
    ],
};

const RUSSIAN: Language = Language {
    code: "ru",
    weight: 1,
    paper: "Портовый вестник",
    places: &["Заречье", "Новый Брод", "Северный район", "Камнегорск"],
    names: &["Анна Лебедева", "полковник Громов", "Илья Седов"],
    categories: &["Мир", "Экономика", "Культура", "Спорт"],
    conflict: &[
        "В результате авиаудара по рынку погибли {n} человек, ещё {n} ранены, сообщили власти: {place}.",
        "Ночью начался обстрел, жители укрылись в подвалах: {place} остаётся без света.",
        "Стороны договорились о прекращении огня на {n} дней, заявила {name}.",
        "Беспилотник уничтожил склад топлива, рассказали {n} очевидцев.",
        "Полиция разогнала протестующих, задержаны {n} человек.",
    ],
    other: &[
        "Городской совет утвердил бюджет, в котором предусмотрены {n} новых автобусов.",
        "{name} руководит оркестром уже {n} лет и весной покинет пост.",
        "До четверга ожидаются сильные дожди, предупреждает служба погоды: {place}.",
        "Хозяева выиграли с разницей в {n} очков после вялого первого тайма.",
        "Музей покажет {n} рисунков, которые считались утраченными.",
        "Цены на семена выросли вдвое за {n} месяцев, говорят фермеры.",
    ],
};

const UKRAINIAN: Language = Language {
    code: "uk",
    weight: 1,
    paper: "Портовий вісник",
    places: &["Заріччя", "Новий Брід", "Північний район", "Кам'яногір"],
    names: &["Олена Лебідь", "полковник Гайдук", "Ілля Сірко"],
    categories: &["Світ", "Економіка", "Культура", "Спорт"],
    conflict: &[
        "Унаслідок авіаудару по ринку загинули {n} людей, ще {n} поранено, повідомила влада: {place}.",
        "Уночі почався обстріл, мешканці сховалися в підвалах: {place} лишається без світла.",
        "Сторони домовилися про припинення вогню на {n} днів, заявила {name}.",
        "Безпілотник знищив склад пального, розповіли {n} очевидців.",
        "Поліція розігнала протестувальників, затримано {n} людей.",
    ],
    other: &[
        "Міська рада затвердила бюджет, у якому передбачено {n} нових автобусів.",
        "{name} керує оркестром уже {n} років і навесні залишить посаду.",
        "До четверга очікуються сильні дощі, попереджає служба погоди: {place}.",
        "Господарі виграли з різницею в {n} очок після млявого першого тайму.",
        "Музей покаже {n} малюнків, які вважалися втраченими.",
        "Ціни на насіння зросли вдвічі за {n} місяців, кажуть фермери.",
    ],
};

const ARABIC: Language = Language {
    code: "ar",
    weight: 1,
    paper: "بريد الميناء",
    places: &["قصر الوادي", "مرسى النخيل", "الحي الشمالي", "تل الريح"],
    names: &["سلمى الحداد", "العقيد منصور", "كريم النجار"],
    categories: &["العالم", "اقتصاد", "ثقافة", "رياضة"],
    conflict: &[
        "قُتل {n} شخصا وأصيب {n} آخرون في غارة جوية على سوق في {place}.",
        "اندلعت اشتباكات بين الجيش ومسلحين قرب {place} واستمرت حتى الفجر.",
        "اتفق الطرفان على وقف إطلاق النار لمدة {n} يوما، بحسب ما أعلن {name}.",
        "فرّقت الشرطة المتظاهرين في {place} بالغاز المسيل للدموع.",
        "نزحت {n} عائلة من {place} بسبب القصف المدفعي.",
    ],
    other: &[
        "أقر مجلس مدينة {place} ميزانية تشمل {n} حافلة جديدة.",
        "قال {name} إن المتحف سيعرض {n} لوحة كانت تعد مفقودة.",
        "من المتوقع هطول أمطار غزيرة في {place} حتى يوم الخميس.",
        "فاز الفريق المحلي بفارق {n} نقاط بعد شوط أول بطيء.",
        "تضاعفت أسعار البذور خلال {n} شهرا كما يقول المزارعون في {place}.",
    ],
};
