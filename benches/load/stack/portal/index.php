<?php

/**
 * The portal: one request, one transaction, one page.
 *
 * A form page that is handed in twice is known by its token and moves nothing
 * the second time.
 */

declare(strict_types=1);

require __DIR__ . '/database.php';
require __DIR__ . '/session.php';
require __DIR__ . '/pages.php';

/** What a grant takes from the budget at most. */
const GRANT = 5000;

/** Rounds of the reference's seal: the few milliseconds for which the hot row is held. */
const SEAL = 10_000;

/** A redirect after a post, so that a reload posts nothing again. */
function see_other(string $path): string
{
    header("Location: $path", true, 303);
    return '';
}

/** The page of the form that `$path` names. */
function step(string $path): ?int
{
    return preg_match('~^/apply/([1-9])$~', $path, $found) ? (int) $found[1] : null;
}

/** Shows a page of the form, but none ahead of those handed in. */
function show(PDO $database, int $step): string
{
    $session = Session::known($database);
    if ($step === 1 && $session?->number !== null) {
        $session = null;
    }
    if ($session === null) {
        if ($step !== 1) {
            return see_other('/apply/1');
        }
        $session = Session::begin($database);
    }
    if ($step > $session->page + 1) {
        return see_other('/apply/' . ($session->page + 1));
    }
    return form($database, $session, $step);
}

/** Takes a page of the form. */
function take(PDO $database, int $step): string
{
    $session = Session::known($database);
    $token = $_POST['token'] ?? '';
    if ($session === null || !is_string($token) || !preg_match('/^[0-9a-f]{16}$/', $token)) {
        return see_other('/apply/1');
    }
    $next = $step === count(FORM) ? '/apply/done' : '/apply/' . ($step + 1);
    if ($step > $session->page + 1) {
        return see_other('/apply/' . ($session->page + 1));
    }
    $posts = query($database, <<<'SQL'
        INSERT INTO handed_in (token, session, page) VALUES (?, ?, ?)
        ON CONFLICT (token) DO UPDATE SET posts = handed_in.posts + 1 RETURNING posts
        SQL, [$token, $session->id, $step])->fetchColumn();
    if ($posts > 1 || $session->number !== null) {
        return see_other($next);
    }
    $known = array_intersect_key($_POST, FORM[$step][1]);
    $session->answers[$step] = array_map(fn ($value): string => substr((string) $value, 0, 200), $known);
    $session->page = max($session->page, $step);
    if ($step === count(FORM)) {
        $session->number = apply($database, $session);
    }
    $session->save();
    return see_other($next);
}

/**
 * Enters the application: takes a number and its grant from the hot row, which
 * nobody else can until this transaction has ended.
 */
function apply(PDO $database, Session $session): int
{
    $programme = query($database, 'SELECT received, budget FROM programme WHERE id = 1 FOR UPDATE')->fetch();
    $number = $programme['received'] + 1;
    $seal = hash_pbkdf2('sha256', $session->id, "RM-$number", SEAL, 8);
    query(
        $database,
        'UPDATE programme SET received = ?, budget = budget - ? WHERE id = 1',
        [$number, min(GRANT, $programme['budget'])],
    );
    query(
        $database,
        'INSERT INTO application (number, session, reference, answers) VALUES (?, ?, ?, ?)',
        [$number, $session->id, "RM-$seal", json_encode($session->answers)],
    );
    return $number;
}

/** The reference, for who has one. */
function thank(PDO $database): string
{
    $session = Session::known($database);
    $reference = $session === null ? false : query(
        $database,
        'SELECT reference FROM application WHERE session = ?',
        [$session->id],
    )->fetchColumn();
    return $reference === false ? see_other('/apply/1') : done($reference);
}

function answer(PDO $database, string $method, string $path): string
{
    $step = step($path);
    if ($step !== null) {
        return $method === 'POST' ? take($database, $step) : show($database, $step);
    }
    switch ($path) {
        case '/':
            return welcome($database);
        case '/apply/done':
            return thank($database);
        case '/heavy':
            return report($database);
    }
    http_response_code(404);
    return missing();
}

header('Content-Type: text/html; charset=utf-8');
header('Cache-Control: no-store');
try {
    $database = database();
    $database->beginTransaction();
    $page = answer($database, $_SERVER['REQUEST_METHOD'], (string) strtok($_SERVER['REQUEST_URI'], '?'));
    $database->commit();
    query($database, "SELECT nextval('served')");
    echo $page;
} catch (PDOException $problem) {
    error_log($problem->getMessage());
    http_response_code(500);
    echo page('Something went wrong', '<p>Please try again in a moment.</p>');
}
