// What is said about a passphrase that could be guessed, by the names that zxcvbn gives its findings.
export type Finding = string;

const CS: Readonly<Record<Finding, string>> = {
  straightRow: "Řada sousedních kláves se snadno uhodne.",
  keyPattern: "Krátký vzor na klávesnici se snadno uhodne.",
  simpleRepeat: "Opakovaná písmena se snadno uhodnou.",
  extendedRepeat: "Opakování téhož se snadno uhodne.",
  sequences: "Řady jako abc nebo 123 se snadno uhodnou.",
  recentYears: "Letopočty se snadno uhodnou.",
  dates: "Data se snadno uhodnou.",
  topTen: "To je jedno z nejčastějších hesel.",
  topHundred: "To je velmi časté heslo.",
  common: "To je běžné heslo.",
  similarToCommon: "Podobá se běžnému heslu.",
  wordByItself: "Jediné slovo se snadno uhodne.",
  namesByThemselves: "Samotné jméno se snadno uhodne.",
  commonNames: "Běžná jména se snadno uhodnou.",
  anotherWord: "Přidejte další slovo, které s ostatními nesouvisí.",
};

const EN: Readonly<Record<Finding, string>> = {
  straightRow: "A row of neighbouring keys is easy to guess.",
  keyPattern: "A short pattern on the keyboard is easy to guess.",
  simpleRepeat: "Repeated letters are easy to guess.",
  extendedRepeat: "Repeating the same is easy to guess.",
  sequences: "Rows such as abc or 123 are easy to guess.",
  recentYears: "Years are easy to guess.",
  dates: "Dates are easy to guess.",
  topTen: "This is one of the most common passwords.",
  topHundred: "This is a very common password.",
  common: "This is a common password.",
  similarToCommon: "It resembles a common password.",
  wordByItself: "A single word is easy to guess.",
  namesByThemselves: "A name alone is easy to guess.",
  commonNames: "Common names are easy to guess.",
  anotherWord: "Add another word that has nothing to do with the others.",
};

/** Return the sentence for a finding in a page's language; the advice to add a word for what has none. */
export function sentence(finding: Finding | null, language: string): string {
  const told = language === "cs" ? CS : EN;
  return told[finding ?? "anotherWord"] ?? told.anotherWord ?? "";
}
