/** What the page uses of marked; its own types are not in the file. */
export class Marked {
  constructor(options: object);
  lexer(text: string): any[];
  parser(blocks: any[]): string;
  walkTokens(blocks: any[], callback: (token: any) => void): unknown;
}
