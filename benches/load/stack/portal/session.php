<?php

declare(strict_types=1);

/**
 * Who fills in a form. The row is locked until the request's transaction ends,
 * as PHP's own sessions are: a second request of the same visitor waits, and
 * occupies a child while it does.
 */
final class Session
{
    public const COOKIE = 'portal-session';

    private function __construct(
        private readonly PDO $database,
        public readonly string $id,
        public int $page,
        public array $answers,
        public ?int $number,
    ) {
    }

    /** The session that the request's cookie names, if there is one. */
    public static function known(PDO $database): ?self
    {
        $id = $_COOKIE[self::COOKIE] ?? '';
        if (!is_string($id) || !preg_match('/^[0-9a-f]{32}$/', $id)) {
            return null;
        }
        $row = query(
            $database,
            'SELECT page, answers, number FROM session WHERE id = ? FOR UPDATE',
            [$id],
        )->fetch();
        return $row === false ? null : new self(
            $database,
            $id,
            $row['page'],
            json_decode($row['answers'], true),
            $row['number'],
        );
    }

    /** A new session; its cookie goes with the answer. */
    public static function begin(PDO $database): self
    {
        $id = bin2hex(random_bytes(16));
        query($database, 'INSERT INTO session (id) VALUES (?)', [$id]);
        setcookie(self::COOKIE, $id, ['path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
        return new self($database, $id, 0, [], null);
    }

    public function save(): void
    {
        query(
            $this->database,
            'UPDATE session SET page = ?, answers = ?, number = ?, seen = now() WHERE id = ?',
            [$this->page, json_encode((object) $this->answers), $this->number, $this->id],
        );
    }
}
