package lang

import (
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// This file is the grammar, one struct for each production, as participle
// reads it. A production says only what may stand where; whether it makes
// sense is decided where the tree is built (build.go). One token of lookahead
// tells the alternatives apart, so an error is noticed at the first token that
// cannot continue the statement.
//
// To add a statement, add its production to statementSyntax; to add a clause
// of OCCLUDE, add it to clauseSyntax. The names of the productions, less
// "Syntax", are those in docs/language.md, which shows this grammar.

// syntax is embedded by productions whose place in the text is wanted.
type syntax struct {
	Tokens []lexer.Token // filled in by participle, which looks for the name
}

func (s syntax) span() Span {
	if len(s.Tokens) == 0 {
		return Span{}
	}
	return tokenSpan(s.Tokens[0]).Join(tokenSpan(s.Tokens[len(s.Tokens)-1]))
}

type statementSyntax struct {
	Create    *createSyntax    `parser:"  @@"`
	Drop      *dropSyntax      `parser:"| @@"`
	Describe  *describeSyntax  `parser:"| @@"`
	Analyze   *analyzeSyntax   `parser:"| @@"`
	Show      *showSyntax      `parser:"| @@"`
	Predict   *predictSyntax   `parser:"| @@"`
	Occlude   *occludeSyntax   `parser:"| @@"`
	Explain   *explainSyntax   `parser:"| @@"`
	Benchmark *benchmarkSyntax `parser:"| @@"`
	Compare   *compareSyntax   `parser:"| @@"`
	Evaluate  *evaluateSyntax  `parser:"| @@"`
	Query     *selectSyntax    `parser:"| @@"`
	Change    *changeSyntax    `parser:"| @@"`
	Copy      *copySyntax      `parser:"| @@"`
	Export    *exportSyntax    `parser:"| @@"`
	Import    *importSyntax    `parser:"| @@"`
	Set       *setSyntax       `parser:"| @@"`
	Reset     *resetSyntax     `parser:"| @@"`
	Clear     *clearSyntax     `parser:"| @@"`
}

type createSyntax struct {
	syntax
	Table   *tableSyntax `parser:"'CREATE' ( @@"`
	Replace bool         `parser:"  | ( @'OR' 'REPLACE' )?"`
	Model   *modelSyntax `parser:"    'MODEL' @@"`
	File    *fileSyntax  `parser:"    'FROM' @@"`
	With    *withSyntax  `parser:"    @@? )"`
}

type dropSyntax struct {
	syntax
	Table    *tableSyntax `parser:"'DROP' ( @@"`
	IfExists bool         `parser:"  | 'MODEL' ( @'IF' 'EXISTS' )?"`
	Model    *modelSyntax `parser:"    @@ )"`
}

type describeSyntax struct {
	syntax
	Model *modelSyntax `parser:"'DESCRIBE' 'MODEL' @@"`
}

type analyzeSyntax struct {
	syntax
	Model   *modelSyntax           `parser:"'ANALYZE' 'MODEL' @@"`
	Clauses []*analyzeClauseSyntax `parser:"@@*"`
}

type analyzeClauseSyntax struct {
	syntax
	Sample *sampleSyntax `parser:"  'USING' @@"`
	Patch  *extentSyntax `parser:"| 'PATCH' @@"`
	Stride *extentSyntax `parser:"| 'STRIDE' @@"`
	Fill   *fillSyntax   `parser:"| 'FILL' @@"`
}

type sampleSyntax struct {
	syntax
	Size  lexer.Token  `parser:"'SAMPLE' @Number"`
	Files *fileSyntax  `parser:"'FROM' @@"`
	Seed  *lexer.Token `parser:"( 'REPEATABLE' '(' @Number ')' )?"`
}

type showSyntax struct {
	syntax
	Models      bool           `parser:"'SHOW' ( @'MODELS'"`
	Tables      bool           `parser:"| @'TABLES'"`
	Calibration bool           `parser:"| @'CALIBRATION'"`
	Devices     bool           `parser:"| @'DEVICES'"`
	Cache       bool           `parser:"| @'CACHE'"`
	All         bool           `parser:"| @'ALL'"`
	Setting     *settingSyntax `parser:"| @@ )"`
}

type clearSyntax struct {
	syntax
	Cache bool `parser:"'CLEAR' @'CACHE'"`
}

type predictSyntax struct {
	syntax
	Image   *imageSyntax           `parser:"'PREDICT' @@"`
	Model   *modelSyntax           `parser:"'USING' @@"`
	Clauses []*predictClauseSyntax `parser:"@@*"`
}

type predictClauseSyntax struct {
	syntax
	Top  *lexer.Token `parser:"  'TOP' @Number"`
	With *withSyntax  `parser:"| @@"`
}

type occludeSyntax struct {
	syntax
	Image   *imageSyntax    `parser:"'OCCLUDE' @@"`
	Model   *modelSyntax    `parser:"'USING' @@"`
	Clauses []*clauseSyntax `parser:"@@*"`
}

type clauseSyntax struct {
	syntax
	Target      *targetSyntax    `parser:"  'FOR' @@"`
	Patch       *extentSyntax    `parser:"| 'PATCH' @@"`
	Stride      *extentSyntax    `parser:"| 'STRIDE' @@"`
	Fill        *fillSyntax      `parser:"| 'FILL' @@"`
	Where       *conditionSyntax `parser:"| 'WHERE' @@"`
	At          []*pointSyntax   `parser:"| 'AT' @@ ( ',' @@ )*"`
	Quality     *lexer.Token     `parser:"| 'SSIM' '>=' @Number"`
	Within      *timeSyntax      `parser:"| 'WITHIN' @@"`
	Verify      *verifySyntax    `parser:"| 'VERIFY' @@"`
	Progressive bool             `parser:"| @'PROGRESSIVE'"`
	Into        []*intoSyntax    `parser:"| 'INTO' @@ ( ',' @@ )*"`
	OnError     *lexer.Token     `parser:"| 'ON' 'ERROR' @( 'STOP' | 'CONTINUE' )"`
	Colormap    *colormapSyntax  `parser:"| 'COLORMAP' @@"`
	With        *withSyntax      `parser:"| @@"`
}

type intoSyntax struct {
	syntax
	Table *tableNameSyntax `parser:"  'TABLE' @@"`
	File  *fileSyntax      `parser:"| @@"`
}

type targetSyntax struct {
	syntax
	Label *labelSyntax `parser:"  'CLASS' ( @@"`
	Class *lexer.Token `parser:"          | @Number )"`
	Top   *lexer.Token `parser:"| 'TOP' @Number"`
}

type extentSyntax struct {
	syntax
	W lexer.Token  `parser:"@Number"`
	H *lexer.Token `parser:"( 'x' @Number )?"`
}

type fillSyntax struct {
	syntax
	Text  *lexer.Token `parser:"  @String"`
	Color *lexer.Token `parser:"| @( Color | 'black' | 'white' | 'gray' )"`
	Red   *lexer.Token `parser:"| 'rgb' '(' @Number"`
	Green *lexer.Token `parser:"  ',' @Number"`
	Blue  *lexer.Token `parser:"  ',' @Number ')'"`
	Mean  *lexer.Token `parser:"| 'mean' '(' @( 'image' | 'patch' ) ')'"`
	Blur  *lexer.Token `parser:"| 'blur' '(' @Number ')'"`
	Noise *lexer.Token `parser:"| 'noise' '(' @Number ')'"`
	Image *fileSyntax  `parser:"| 'image' '(' @@ ')'"`
}

type colormapSyntax struct {
	syntax
	Token lexer.Token `parser:"@( String | Word )"`
}

type pointSyntax struct {
	syntax
	X *signedSyntax `parser:"'(' @@"`
	Y *signedSyntax `parser:"',' @@ ')'"`
}

type timeSyntax struct {
	syntax
	Number lexer.Token `parser:"@Number"`
	Unit   *unitSyntax `parser:"@@"`
	OrFail bool        `parser:"( @'OR' 'FAIL' )?"`
}

// unitSyntax is a unit of time; timeUnits says how long each is.
type unitSyntax struct {
	Token lexer.Token `parser:"@( 'SECONDS' | 'SECOND' | 'MINUTES' | 'MINUTE' | 'MILLISECONDS' | 'MILLISECOND' )"`
}

type verifySyntax struct {
	syntax
	All       bool         `parser:"( @'ALL' 'POSITIONS'?"`
	Positions *lexer.Token `parser:"| @Number 'POSITIONS' )"`
}

type explainSyntax struct {
	syntax
	Analyze *lexer.Token           `parser:"'EXPLAIN' ( @'ANALYZE'"`
	Options []*explainOptionSyntax `parser:"| '(' @@ ( ',' @@ )* ')' )?"`
	Occlude *occludeSyntax         `parser:"( @@"`
	Predict *predictSyntax         `parser:"| @@ )"`
}

type explainOptionSyntax struct {
	syntax
	Flag   *lexer.Token `parser:"  @( 'ANALYZE' | 'ALTERNATIVES' | 'LAYERS' | 'RULES' )"`
	Switch *lexer.Token `parser:"  @( 'ON' | 'OFF' | 'TRUE' | 'FALSE' )?"`
	Name   *lexer.Token `parser:"| @'FORMAT'"`
	Format *lexer.Token `parser:"  @( 'TEXT' | 'JSON' | 'DOT' )"`
}

type copySyntax struct {
	syntax
	Query   *querySyntax        `parser:"'COPY' '(' @@ ')'"`
	File    *fileSyntax         `parser:"'TO' @@"`
	Options []*copyOptionSyntax `parser:"( 'WITH'? '(' @@ ( ',' @@ )* ')' )?"`
}

// querySyntax is a statement that returns a relation.
type querySyntax struct {
	syntax
	Occlude   *occludeSyntax   `parser:"  @@"`
	Predict   *predictSyntax   `parser:"| @@"`
	Benchmark *benchmarkSyntax `parser:"| @@"`
	Compare   *compareSyntax   `parser:"| @@"`
	Evaluate  *evaluateSyntax  `parser:"| @@"`
	Query     *selectSyntax    `parser:"| @@"`
	Show      *showSyntax      `parser:"| @@"`
}

type copyOptionSyntax struct {
	syntax
	Name   lexer.Token `parser:"@'FORMAT'"`
	Format lexer.Token `parser:"@( 'CSV' | 'JSON' | 'NPY' | 'PNG' )"`
}

type exportSyntax struct {
	syntax
	File *fileSyntax `parser:"'EXPORT' 'CALIBRATION' 'TO' @@"`
}

type importSyntax struct {
	syntax
	File *fileSyntax `parser:"'IMPORT' 'CALIBRATION' 'FROM' @@"`
}

type benchmarkSyntax struct {
	syntax
	Options []*benchmarkOptionSyntax `parser:"'BENCHMARK' ( '(' @@ ( ',' @@ )* ')' )?"`
	Query   *occludeSyntax           `parser:"@@"`
}

type benchmarkOptionSyntax struct {
	syntax
	Runs   *lexer.Token         `parser:"  'RUNS' @Number"`
	Warmup *lexer.Token         `parser:"| 'WARMUP' @Number"`
	Plans  []*alternativeSyntax `parser:"| 'PLANS' '(' @@ ( ',' @@ )* ')'"`
}

type alternativeSyntax struct {
	syntax
	Plan *planSyntax `parser:"@@"`
	With *withSyntax `parser:"@@?"`
}

type compareSyntax struct {
	syntax
	First  *occludeSyntax `parser:"'COMPARE' '(' @@ ')'"`
	Second *occludeSyntax `parser:"'WITH' '(' @@ ')'"`
}

type evaluateSyntax struct {
	syntax
	Query   *occludeSyntax  `parser:"'EVALUATE' '(' @@ ')'"`
	Metrics []*metricSyntax `parser:"'USING' @@ ( ',' @@ )*"`
	With    *withSyntax     `parser:"@@?"`
}

type metricSyntax struct {
	syntax
	Name      *metricNameSyntax `parser:"@@"`
	Arguments []*valueSyntax    `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
}

// What is SQLite's to read is one token from the second word on: see sql.go.

// selectSyntax is SQL that returns rows.
type selectSyntax struct {
	syntax
	Verb lexer.Token `parser:"@( 'SELECT' | 'WITH' | 'VALUES' )"`
	Rest lexer.Token `parser:"@Sql"`
}

// changeSyntax is SQL that changes what tables hold.
type changeSyntax struct {
	syntax
	Verb lexer.Token `parser:"@( 'INSERT' | 'UPDATE' | 'DELETE' | 'REPLACE' | 'ALTER' )"`
	Rest lexer.Token `parser:"@Sql"`
}

// tableSyntax is what CREATE and DROP leave to SQLite.
type tableSyntax struct {
	syntax
	Kind lexer.Token `parser:"@( 'TABLE' | 'VIEW' | 'INDEX' | 'UNIQUE' | 'TEMP' | 'TEMPORARY' )"`
	Rest lexer.Token `parser:"@Sql"`
}

type setSyntax struct {
	syntax
	Setting *settingSyntax `parser:"'SET' @@"`
	Value   *valueSyntax   `parser:"( '=' | 'TO' ) @@"`
}

type resetSyntax struct {
	syntax
	All     bool           `parser:"'RESET' ( @'ALL'"`
	Setting *settingSyntax `parser:"| @@ )"`
}

type withSyntax struct {
	syntax
	Options []*optionSyntax `parser:"'WITH' '(' @@ ( ',' @@ )* ')'"`
}

type optionSyntax struct {
	syntax
	Name  *optionNameSyntax `parser:"@@"`
	Value *valueSyntax      `parser:"'=' @@"`
}

type valueSyntax struct {
	syntax
	String *lexer.Token   `parser:"  @String"`
	Number *signedSyntax  `parser:"| @@"`
	Word   *lexer.Token   `parser:"| @Word"`
	List   bool           `parser:"| @'['"`
	Items  []*valueSyntax `parser:"  ( @@ ( ',' @@ )* )? ']'"`
}

type signedSyntax struct {
	syntax
	Minus  bool        `parser:"@'-'?"`
	Number lexer.Token `parser:"@Number"`
}

type imageSyntax struct {
	Token lexer.Token `parser:"@String"`
}

type labelSyntax struct {
	Token lexer.Token `parser:"@String"`
}

type fileSyntax struct {
	Token lexer.Token `parser:"@String"`
}

type modelSyntax struct {
	Token lexer.Token `parser:"@( Word | Quoted )"`
}

type tableNameSyntax struct {
	Token lexer.Token `parser:"@( Word | Quoted )"`
}

type planSyntax struct {
	Token lexer.Token `parser:"@( Word | Quoted )"`
}

type metricNameSyntax struct {
	Token lexer.Token `parser:"@( Word | Quoted )"`
}

type settingSyntax struct {
	Token lexer.Token `parser:"@( Word | Quoted )"`
}

// optionNameSyntax may be a reserved word: the = behind it tells.
type optionNameSyntax struct {
	Token lexer.Token `parser:"@( Word | Keyword | Quoted )"`
}

// Conditions and numbers are one grammar; their kinds are told apart when the
// tree is built, which gives better errors than two grammars would.

type conditionSyntax struct {
	syntax
	Terms []*conjunctionSyntax `parser:"@@ ( 'OR' @@ )*"`
}

type conjunctionSyntax struct {
	syntax
	Terms []*negationSyntax `parser:"@@ ( 'AND' @@ )*"`
}

type negationSyntax struct {
	syntax
	Nots []lexer.Token     `parser:"@( 'NOT'* )"`
	X    *comparisonSyntax `parser:"@@"`
}

type comparisonSyntax struct {
	syntax
	Left *sumSyntax  `parser:"@@"`
	Test *testSyntax `parser:"@@?"`
}

type testSyntax struct {
	syntax
	Op    *lexer.Token `parser:"  @( '=' | '<>' | '!=' | '<=' | '>=' | '<' | '>' )"`
	Right *sumSyntax   `parser:"  @@"`
	Not   bool         `parser:"| @'NOT'?"`
	Low   *sumSyntax   `parser:"  ( 'BETWEEN' @@"`
	High  *sumSyntax   `parser:"    'AND' @@"`
	List  []*sumSyntax `parser:"  | 'IN' '(' @@ ( ',' @@ )* ')' )"`
}

type sumSyntax struct {
	syntax
	First *productSyntax `parser:"@@"`
	Rest  []*addSyntax   `parser:"@@*"`
}

type addSyntax struct {
	Op lexer.Token    `parser:"@( '+' | '-' )"`
	X  *productSyntax `parser:"@@"`
}

type productSyntax struct {
	syntax
	First *factorSyntax     `parser:"@@"`
	Rest  []*multiplySyntax `parser:"@@*"`
}

type multiplySyntax struct {
	Op lexer.Token   `parser:"@( '*' | '/' | '%' )"`
	X  *factorSyntax `parser:"@@"`
}

type factorSyntax struct {
	syntax
	Minus  []lexer.Token    `parser:"@( '-'* )"`
	Number *lexer.Token     `parser:"( @Number"`
	Column *columnSyntax    `parser:"| @@"`
	Mask   *fileSyntax      `parser:"| 'inside' '(' @@ ')'"`
	Group  *conditionSyntax `parser:"| '(' @@ ')' )"`
}

type columnSyntax struct {
	Token lexer.Token `parser:"@( 'x' | 'y' | 'w' | 'h' )"`
}

// parser is built when the first text is parsed.
var parser = sync.OnceValue(func() *participle.Parser[statementSyntax] {
	return participle.MustBuild[statementSyntax](
		participle.Lexer(language{}),
		participle.CaseInsensitive("Word", "Keyword"),
	)
})
