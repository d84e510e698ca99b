import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const TESTS_AND_HOOKS = 'it|before|beforeEach|after|afterEach';
const BUILT_IN = 'Promise|Object|Array|Function|Error|Date|RegExp|Map|Set|ArrayBuffer|Uint8Array|Buffer';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.node-red/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/prefer-literal-enum-member': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'nodes/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: `BinaryExpression[operator="instanceof"][right.name=/^(${BUILT_IN})$/]`,
          message: 'Values of function nodes are of another realm: use isAwaitable, isError or util.types.',
        },
      ],
    },
  },
  {
    // Assertions on possibly absent values are the test.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A name with an underscore takes out of an object what the rest is to be without.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['test/**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: `CallExpression[callee.name=/^(${TESTS_AND_HOOKS})$/] > :function[params.length>0]`,
          message: 'A parameter makes mocha wait for a callback; return a promise.',
        },
        {
          selector: `CallExpression[callee.name=/^(${TESTS_AND_HOOKS})$/]:not(CallExpression[callee.name=/^(describe|with)/] *)`,
          message:
            'Tests and hooks belong into a describe: those at the top hold for every file of the process.',
        },
        {
          selector: "ImportDeclaration[source.value='sinon']",
          message: 'The fakes of test/support/fakes end with the test.',
        },
      ],
    },
  },
  { files: ['examples/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
