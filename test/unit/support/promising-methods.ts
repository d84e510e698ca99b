import ts from 'typescript';

/** The public methods of what a file exports that return a promise, by the name of the class or interface. */
export function promisingMethods(program: ts.Program, path: string): Map<string, string[]> {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const module = source && checker.getSymbolAtLocation(source);
  const found = new Map<string, string[]>();
  for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) continue;
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const names = type
      .getProperties()
      .filter((property) => isPublic(property) && isPromising(checker, property))
      .map(({ name }) => name);
    if (names.length > 0) found.set(symbol.name, names);
  }
  return found;
}

function isPublic(property: ts.Symbol): boolean {
  const [declaration] = property.declarations ?? [];
  const name = declaration && ts.getNameOfDeclaration(declaration);
  if (declaration === undefined || name === undefined || ts.isPrivateIdentifier(name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (ts.getCombinedModifierFlags(declaration) & hidden) === 0;
}

function isPromising(checker: ts.TypeChecker, property: ts.Symbol): boolean {
  const signatures = checker.getTypeOfSymbol(property).getCallSignatures();
  return signatures.some((signature) => signature.getReturnType().getSymbol()?.name === 'Promise');
}
