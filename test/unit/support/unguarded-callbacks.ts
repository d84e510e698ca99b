import { relative, sep } from 'node:path';
import ts from 'typescript';

/** Packages that call a function only within the call that they are given it in, where our own code catches. */
const SYNCHRONOUS: readonly string[] = ['zod', 'jose'];

/** Methods that only compare a function with one that they were given before. */
const REMOVERS: readonly string[] = ['off', 'removeListener', 'removeEventListener'];

/** Methods of promises whose callbacks run later, and after whose callbacks nobody may look. */
const PROMISE_METHODS: readonly string[] = ['then', 'catch', 'finally'];

/** A function that is handed to code outside of this project. */
export interface HandedOut {
  readonly file: string;
  readonly line: number;
  /** The expression, in one line. */
  readonly text: string;
}

/**
 * Functions below the folders that are handed to code outside of this project, and that are not known to be safe: what
 * they throw would end the process. A promise method counts where nobody looks at the promise that it returns.
 */
export function unguardedCallbacks(
  program: ts.Program,
  root: string,
  folders: readonly string[],
): HandedOut[] {
  const checker = program.getTypeChecker();
  return program.getSourceFiles().flatMap((source) => {
    const file = relative(root, source.fileName).split(sep).join('/');
    if (!folders.some((folder) => file.startsWith(`${folder}/`))) return [];
    return callsIn(source).flatMap((call) =>
      handedOut(call, checker)
        .filter((callback) => !isGuarded(callback, checker))
        .map((callback) => {
          const { line } = source.getLineAndCharacterOfPosition(callback.getStart());
          return { file, line: line + 1, text: callback.getText().replace(/\s+/g, ' ') };
        }),
    );
  });
}

type Call = ts.CallExpression | ts.NewExpression;

function callsIn(node: ts.Node): Call[] {
  const found: Call[] = ts.isCallExpression(node) || ts.isNewExpression(node) ? [node] : [];
  node.forEachChild((child) => {
    found.push(...callsIn(child));
  });
  return found;
}

function handedOut(call: Call, checker: ts.TypeChecker): ts.Node[] {
  const candidates = (call.arguments ?? []).filter((argument) => !ts.isLiteralExpression(argument));
  if (candidates.length === 0 || isKnown(call, checker) || !isForeign(call, checker)) return [];
  return candidates.flatMap((argument) => functionsIn(argument, checker));
}

/**
 * Whether the name of what is called says already that it is not foreign. To resolve a call means to check all of its
 * arguments, and most calls need none of that.
 */
function isKnown({ expression }: Call, checker: ts.TypeChecker): boolean {
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  const symbol = checker.getSymbolAtLocation(name);
  if (symbol === undefined || PROMISE_METHODS.includes(symbol.name)) return false;
  const { declarations = [] } =
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return declarations.length > 0 && declarations.every(isOwnOrBuiltIn);
}

function isOwnOrBuiltIn(declaration: ts.Declaration): boolean {
  const { fileName } = declaration.getSourceFile();
  if (fileName.includes('/typescript/lib/lib.es')) return true;
  if (isOutside(fileName)) return false;
  return ts.isFunctionDeclaration(declaration) || ts.isMethodDeclaration(declaration);
}

function isForeign(call: Call, checker: ts.TypeChecker): boolean {
  const { expression } = call;
  const method = ts.isPropertyAccessExpression(expression) ? expression.name.text : '';
  if (REMOVERS.includes(method)) return false;
  const file = declarationFile(call, checker);
  if (file.includes('/typescript/lib/lib.es')) return PROMISE_METHODS.includes(method) && isLetGo(call);
  if (!isOutside(file)) return false;
  if (ts.isPropertyAccessExpression(expression) && isSafeEmitter(expression.expression, checker))
    return false;
  return !SYNCHRONOUS.some((name) => file.includes(`/node_modules/${name}/`));
}

function declarationFile(call: Call, checker: ts.TypeChecker): string {
  return checker.getResolvedSignature(call)?.declaration?.getSourceFile().fileName ?? '';
}

function isOutside(file: string): boolean {
  return file.includes('/node_modules/');
}

/** Whether the listeners of this emitter are guarded when they are called. */
function isSafeEmitter(emitter: ts.Expression, checker: ts.TypeChecker): boolean {
  return checker.getTypeAtLocation(emitter).getProperty('handleListenerFault') !== undefined;
}

function isLetGo({ parent }: ts.Node): boolean {
  return ts.isExpressionStatement(parent) || ts.isVoidExpression(parent);
}

/** The argument itself, or the members of an object, where they are functions. */
function functionsIn(argument: ts.Expression, checker: ts.TypeChecker): ts.Node[] {
  if (ts.isObjectLiteralExpression(argument)) {
    return argument.properties.flatMap((property) => {
      if (ts.isPropertyAssignment(property)) return functionsIn(property.initializer, checker);
      return ts.isMethodDeclaration(property) ? [property] : [];
    });
  }
  return functionTypes(argument, checker).length > 0 ? [argument] : [];
}

function functionTypes(node: ts.Node, checker: ts.TypeChecker): ts.Type[] {
  const type = checker.getTypeAtLocation(node);
  return (type.isUnion() ? type.types : [type]).filter((part) => part.getCallSignatures().length > 0);
}

/** Whether each function that the expression may be has the mark of the guard, or comes from foreign code itself. */
function isGuarded(node: ts.Node, checker: ts.TypeChecker): boolean {
  return functionTypes(node, checker).every(isMarked) || isForeignFunction(node, checker);
}

function isMarked(type: ts.Type): boolean {
  return type.getProperties().some(({ name }) => name.startsWith('__@guard@'));
}

function isForeignFunction(node: ts.Node, checker: ts.TypeChecker): boolean {
  const declaration = checker.getSymbolAtLocation(node)?.valueDeclaration;
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return false;
  const { initializer } = declaration;
  return (
    initializer !== undefined &&
    ts.isCallExpression(initializer) &&
    isOutside(declarationFile(initializer, checker))
  );
}
