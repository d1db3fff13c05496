select
    id as book_id,
    key as book,
    title,
    array_position(array['{{ var("reference_books") | join("', '") }}'], key) as reference_rank
from {{ source('edge', 'books') }}
