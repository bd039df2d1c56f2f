<?php

declare(strict_types=1);

/** Pages of the form: heading, then label of each field. */
const FORM = [
    1 => ['About you', ['name' => 'Your full name', 'email' => 'Email address']],
    2 => ['Your home', ['street' => 'Street and number', 'town' => 'Town or village']],
    3 => ['The building', ['built' => 'Year it was built', 'flats' => 'Number of flats']],
    4 => ['Your household', ['people' => 'People in the household', 'income' => 'Yearly income, in dollars']],
    5 => ['Your project', ['work' => 'What will be done?', 'cost' => 'Estimated cost, in dollars']],
    6 => ['Your contractor', ['contractor' => 'Name of the contractor', 'quote' => 'Number of the quote']],
    7 => ['Other grants', ['others' => 'Grants that you have received', 'amount' => 'Their amount, in dollars']],
    8 => ['Payment', ['holder' => 'Account holder', 'account' => 'Account number']],
    9 => ['Check and send', ['answer' => 'Are your answers complete?']],
];

function escaped(string|int|float $text): string
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_HTML5);
}

/** A whole page around `$body`. */
function page(string $title, string $body): string
{
    return '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        . '<meta name="viewport" content="width=device-width, initial-scale=1">'
        . "<title>$title · Rivermark</title><link rel=\"icon\" href=\"data:,\">"
        . '<link rel="stylesheet" href="/static/style.css"></head><body>'
        . '<header><span class="crest" aria-hidden="true"></span>'
        . '<span><strong>Rivermark</strong> Online services</span></header>'
        . "<main><h1>$title</h1>$body</main>"
        . '<footer>A model portal for load tests. Nothing that you type leaves this machine.</footer>'
        . "</body></html>\n";
}

/** A table of `$rows` under the names of their columns. */
function table(array $rows): string
{
    $cells = fn (string $tag, array $row): string => '<tr>' . implode('', array_map(
        fn ($cell): string => "<$tag>" . escaped($cell ?? '') . "</$tag>",
        $row,
    )) . '</tr>';
    return '<table>' . $cells('th', array_keys($rows[0] ?? []))
        . implode('', array_map(fn (array $row): string => $cells('td', $row), $rows)) . '</table>';
}

/** `/`: how much is left, and what was decided lately. */
function welcome(PDO $database): string
{
    $programme = query($database, 'SELECT received, budget FROM programme WHERE id = 1')->fetch();
    $decisions = query($database, <<<'SQL'
        SELECT 'Town ' || town AS town, count(*) FILTER (WHERE granted) AS granted,
               count(*) FILTER (WHERE NOT granted) AS refused, round(avg(amount)) AS mean
        FROM decision WHERE town BETWEEN ?::int AND ?::int + 39
        GROUP BY decision.town ORDER BY granted DESC, decision.town LIMIT 5
        SQL, array_fill(0, 2, random_int(0, 360)))->fetchAll();
    return page('Home renovation grant', '<p class="lead">Rivermark pays up to $5,000 towards '
        . 'insulation, windows and heating. Applications for this year open today.</p>'
        . '<p>' . escaped($programme['received']) . ' applications so far; $'
        . escaped(number_format((float) $programme['budget'])) . ' left.</p>'
        . '<p><a class="button" href="/apply/1">Start my application</a></p>'
        . '<h2>Last year</h2>' . table($decisions));
}

/** `/apply/STEP`, with the contractors nearby and what was answered so far. */
function form(PDO $database, Session $session, int $step): string
{
    [$heading, $fields] = FORM[$step];
    $last = count(FORM);
    $token = bin2hex(random_bytes(8));
    $body = "<p class=\"step\">Step $step of $last</p>"
        . "<progress max=\"$last\" value=\"$step\">$step of $last</progress>"
        . "<form method=\"post\" action=\"/apply/$step\">"
        . "<input type=\"hidden\" name=\"token\" value=\"$token\">";
    foreach ($fields as $name => $label) {
        $value = escaped($session->answers[$step][$name] ?? '');
        $body .= "<label for=\"$name\">$label</label><input id=\"$name\" name=\"$name\" value=\"$value\">";
    }
    $body .= '<button>' . ($step === $last ? 'Send my application' : 'Continue') . '</button></form>';

    $nearby = query($database, <<<'SQL'
        SELECT c.name, 'Town ' || c.town AS town, round(c.rating::numeric, 1) AS rating,
               (SELECT count(*) FROM decision d WHERE d.town = c.town AND d.granted) AS grants
        FROM contractor c
        ORDER BY sqrt((c.north - ?)^2 + (c.east - ?)^2) / c.rating LIMIT 10
        SQL, [random_int(0, 100), random_int(0, 100)])->fetchAll();
    return page($heading, $body . '<h2>Contractors near you</h2>' . table($nearby));
}

/** `/apply/done` */
function done(string $reference): string
{
    return page('Thank you', '<p class="lead">Your application has been received.</p>'
        . '<p>Your reference is <strong>' . escaped($reference) . '</strong>. We answer within ten '
        . 'working days.</p><p><a href="/">Back to the start</a></p>');
}

/** `/heavy`: the yearly report, over every decision. */
function report(PDO $database): string
{
    $rows = query($database, <<<'SQL'
        SELECT to_char(month, 'YYYY-MM') AS month, sum(decided) AS decided, sum(granted) AS granted,
               round(sum(amount)) AS paid, max(place) FILTER (WHERE town = 1) AS capital
        FROM (
            SELECT town, date_trunc('month', decided) AS month, count(*) AS decided,
                   count(*) FILTER (WHERE granted) AS granted, sum(amount) AS amount,
                   rank() OVER (PARTITION BY date_trunc('month', decided) ORDER BY sum(amount) DESC) AS place
            FROM decision GROUP BY 1, 2
        ) AS towns GROUP BY month ORDER BY month
        SQL)->fetchAll();
    return page('Yearly report', table($rows));
}

/** Whatever is not there. */
function missing(): string
{
    return page('Page not found', '<p>There is no such page. <a href="/">Back to the start</a></p>');
}
