/** The words of English numbers, as data: what each is worth, and to which kind it belongs. */

/** Words of one digit. */
export const DIGITS: Readonly<Record<string, number>> = {
  zero: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
};

/** Zero as it is said in years, times and codes. */
export const OH = ['oh', 'o'];

export const TEENS: Readonly<Record<string, number>> = {
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
};

export const TENS: Readonly<Record<string, number>> = {
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
};

export const SCALES: Readonly<Record<string, number>> = {
  thousand: 1e3,
  million: 1e6,
  billion: 1e9,
  trillion: 1e12,
};

/** Ordinals that end a number. "Hundredth" and "thousandth" are not among them: they are fractions as often. */
export const ORDINAL_DIGITS: Readonly<Record<string, number>> = {
  first: 1,
  second: 2,
  third: 3,
  fourth: 4,
  fifth: 5,
  sixth: 6,
  seventh: 7,
  eighth: 8,
  ninth: 9,
};

export const ORDINAL_TEENS: Readonly<Record<string, number>> = {
  tenth: 10,
  eleventh: 11,
  twelfth: 12,
  thirteenth: 13,
  fourteenth: 14,
  fifteenth: 15,
  sixteenth: 16,
  seventeenth: 17,
  eighteenth: 18,
  nineteenth: 19,
};

export const ORDINAL_TENS: Readonly<Record<string, number>> = {
  twentieth: 20,
  thirtieth: 30,
  fortieth: 40,
  fiftieth: 50,
  sixtieth: 60,
  seventieth: 70,
  eightieth: 80,
  ninetieth: 90,
};

/** Decades: "nineteen eighties". */
export const DECADES: Readonly<Record<string, number>> = {
  twenties: 20,
  thirties: 30,
  forties: 40,
  fifties: 50,
  sixties: 60,
  seventies: 70,
  eighties: 80,
  nineties: 90,
};

export const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** Words before a number of one digit that make it a number to write: "chapter five". */
export const NUMBERED = [
  'chapter',
  'page',
  'figure',
  'section',
  'appendix',
  'version',
  'paragraph',
  'exercise',
];

/** What is written in place of a unit's words behind a number, with what stands between the two. */
export const UNITS: readonly { spoken: readonly string[]; written: string }[] = [
  { spoken: ['percent'], written: '%' },
  { spoken: ['per', 'cent'], written: '%' },
  { spoken: ['degrees', 'celsius'], written: ' °C' },
  { spoken: ['degrees', 'fahrenheit'], written: ' °F' },
  { spoken: ['kilometers', 'per', 'hour'], written: ' km/h' },
  { spoken: ['kilometres', 'per', 'hour'], written: ' km/h' },
  { spoken: ['miles', 'per', 'hour'], written: ' mph' },
  { spoken: ['meters', 'per', 'second'], written: ' m/s' },
  { spoken: ['kilometers'], written: ' km' },
  { spoken: ['kilometres'], written: ' km' },
  { spoken: ['kilometer'], written: ' km' },
  { spoken: ['centimeters'], written: ' cm' },
  { spoken: ['centimetres'], written: ' cm' },
  { spoken: ['centimeter'], written: ' cm' },
  { spoken: ['millimeters'], written: ' mm' },
  { spoken: ['millimetres'], written: ' mm' },
  { spoken: ['millimeter'], written: ' mm' },
  { spoken: ['kilograms'], written: ' kg' },
  { spoken: ['kilogram'], written: ' kg' },
  { spoken: ['milligrams'], written: ' mg' },
  { spoken: ['milligram'], written: ' mg' },
  { spoken: ['milliliters'], written: ' mL' },
  { spoken: ['millilitres'], written: ' mL' },
  { spoken: ['kilobytes'], written: ' KB' },
  { spoken: ['megabytes'], written: ' MB' },
  { spoken: ['gigabytes'], written: ' GB' },
  { spoken: ['terabytes'], written: ' TB' },
  { spoken: ['kilobits', 'per', 'second'], written: ' kbit/s' },
  { spoken: ['megabits', 'per', 'second'], written: ' Mbit/s' },
  { spoken: ['gigabits', 'per', 'second'], written: ' Gbit/s' },
  { spoken: ['hertz'], written: ' Hz' },
  { spoken: ['kilohertz'], written: ' kHz' },
  { spoken: ['megahertz'], written: ' MHz' },
  { spoken: ['gigahertz'], written: ' GHz' },
  { spoken: ['kilowatts'], written: ' kW' },
  { spoken: ['megawatts'], written: ' MW' },
  { spoken: ['kilowatt', 'hours'], written: ' kWh' },
  { spoken: ['milliseconds'], written: ' ms' },
];

/** Currencies: pounds are not among them, since they may be weights. */
export const CURRENCIES: readonly { spoken: readonly string[]; sign: string }[] = [
  { spoken: ['dollars', 'dollar'], sign: '$' },
  { spoken: ['euros', 'euro'], sign: '€' },
];
export const CENTS = ['cents', 'cent'];
